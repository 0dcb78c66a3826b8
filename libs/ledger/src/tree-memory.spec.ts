import { expect, it } from '@jest/globals'
import type { TreeEdge } from './append/growth.js'
import { TreeMemory, type TreeIdentity } from './tree-memory.js'
import type { LogHead } from './types.js'

it('a tree that was seen frozen is not active again for a row that was read before', () => {
  const identity = { origin: 'a', guard: undefined } as unknown as TreeIdentity
  const memory = new TreeMemory(identity, 'active', {} as TreeEdge, { size: 1n } as LogHead)
  memory.state = 'active'
  expect(memory.state).toBe('active')
  memory.state = 'frozen'
  memory.state = 'active'
  expect(memory.state).toBe('frozen')
})
