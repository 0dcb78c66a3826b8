import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { readPrivate, whyOpen } from './private-file.js'
import { testContext, type TestContext } from './testing/context.js'

let context: TestContext
let file: string
beforeEach(async () => {
  context = await testContext()
  file = join(context.folder, 'secret')
  writeFileSync(file, 'secret', { mode: 0o600 })
})
afterEach(() => context.remove())

describe('readPrivate', () => {
  it('reads what only its owner can get at', async () => {
    await expect(readPrivate(file, 6)).resolves.toEqual({ state: 'read', text: 'secret' })
    chmodSync(file, 0o400)
    await expect(readPrivate(file, 6)).resolves.toMatchObject({ state: 'read' })
  })

  it.each([0o644, 0o640, 0o602, 0o610])('does not read a file of mode %o', async (mode) => {
    chmodSync(file, mode)
    await expect(readPrivate(file, 6)).resolves.toEqual({ state: 'open', why: expect.stringContaining('0600') })
  })

  it('does not follow a link', async () => {
    symlinkSync(file, join(context.folder, 'link'))
    await expect(readPrivate(join(context.folder, 'link'), 6)).resolves.toEqual({
      state: 'open',
      why: 'it is a symbolic link',
    })
  })

  it('has nothing for no file, a folder, and a file that is too large', async () => {
    mkdirSync(join(context.folder, 'folder'), { mode: 0o700 })
    await expect(readPrivate(join(context.folder, 'none'), 6)).resolves.toEqual({ state: 'absent' })
    await expect(readPrivate(join(context.folder, 'folder'), 1 << 20)).resolves.toEqual({ state: 'absent' })
    await expect(readPrivate(file, 5)).resolves.toEqual({ state: 'absent' })
  })
})

describe('whyOpen', () => {
  it('minds the owner before the mode', () => {
    const uid = process.getuid!()
    expect(whyOpen({ uid: uid + 1, mode: 0o100600 })).toBe('it belongs to another user')
    expect(whyOpen({ uid, mode: 0o100600 })).toBeUndefined()
    expect(whyOpen({ uid, mode: 0o100604 })).toContain('0604')
  })
})
