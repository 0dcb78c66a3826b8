import { readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { PostgresError } from '../errors.js'

/** The user that the server runs as. */
export interface Account {
  name: string
  uid: number
  gid: number
  /** True when it is not the user of this process, which then is root. */
  other: boolean
}

/** The traditional number of `nobody`, for machines without an /etc/passwd that says so. */
const NOBODY = 65_534

/**
 * PostgreSQL refuses to run as root. Root therefore runs it as `user` when one is given, else as `postgres` if there is
 * such a user, else as `nobody`, else as number 65534. Anyone else runs it as himself.
 */
export async function serverAccount(user?: string): Promise<Account> {
  const uid = process.getuid?.() ?? 0
  const gid = process.getgid?.() ?? 0
  if (uid !== 0) return { name: `user ${uid}`, uid, gid, other: false }
  const known = await localUsers()
  if (user !== undefined) {
    const found = known.get(user)
    if (found && found.uid !== 0) return found
    throw new PostgresError('POSTGRES_START_FAILED', `there is no unprivileged user ${user} to run PostgreSQL as`)
  }
  return known.get('postgres') ?? known.get('nobody') ?? { name: 'nobody', uid: NOBODY, gid: NOBODY, other: true }
}

async function localUsers(): Promise<Map<string, Account>> {
  const text = await readFile('/etc/passwd', 'utf8').catch(() => '')
  const users = new Map<string, Account>()
  for (const line of text.split('\n')) {
    const [name, , uid, gid] = line.split(':')
    if (!name || !/^\d+$/.test(uid ?? '') || !/^\d+$/.test(gid ?? '')) continue
    users.set(name, { name, uid: Number(uid), gid: Number(gid), other: true })
  }
  return users
}

/**
 * True when the account can enter `path` and every folder above it, by owner, group and mode. An access list may grant
 * more: then we copy where we need not.
 */
export async function canEnter(path: string, account: Account): Promise<boolean> {
  for (let folder = path; ; folder = dirname(folder)) {
    const { mode, uid, gid } = await stat(folder)
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001
    if ((mode & bit) === 0) return false
    if (folder === dirname(folder)) return true
  }
}
