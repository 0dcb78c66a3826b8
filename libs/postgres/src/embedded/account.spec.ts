import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Account } from './account.js'
import { canEnter, serverAccount } from './account.js'

const uid = process.getuid!()
const gid = process.getgid!()
const stranger: Account = { name: 'stranger', uid: 4_000_001, gid: 4_000_001, other: true }

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'touchmark-account-'))
  await mkdir(join(folder, 'a', 'b'), { recursive: true })
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('canEnter', () => {
  it('wants every folder on the way open', async () => {
    const inner = join(folder, 'a', 'b')
    expect(await canEnter(inner, stranger)).toBe(false)
    await chmod(folder, 0o711)
    expect(await canEnter(inner, stranger)).toBe(true)
    await chmod(join(folder, 'a'), 0o766)
    expect(await canEnter(inner, stranger)).toBe(false)
  })

  it('takes the bit of the owner, the group or the others, and no other', async () => {
    const account = (own: Partial<Account>) => ({ ...stranger, ...own })
    await chmod(folder, 0o100)
    expect(await canEnter(folder, account({ uid }))).toBe(true)
    expect(await canEnter(folder, account({ gid }))).toBe(false)
    await chmod(folder, 0o611)
    expect(await canEnter(folder, account({ uid }))).toBe(false)
    expect(await canEnter(folder, account({ gid }))).toBe(true)
    await chmod(folder, 0o701)
    expect(await canEnter(folder, account({ gid }))).toBe(false)
    expect(await canEnter(folder, stranger)).toBe(true)
  })
})

describe('serverAccount', () => {
  it('is never root, and an ordinary user himself', async () => {
    const account = await serverAccount()
    expect(account.uid).not.toBe(0)
    expect(account.other).toBe(uid === 0)
    if (uid !== 0) expect(account).toMatchObject({ uid, gid })
  })
})
