import { randomBytes } from 'node:crypto'
import { link, open, readFile, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { HttpOptions } from '@touchmark/sign'
import { CliError } from '../errors.js'

const PAUSE_MS = 100
/** What a holder does beside its one request: reading and writing small files. */
const BESIDE_MS = 5_000

/**
 * Holds the lock file while `work`, which is one request, runs. The file says who holds it and for how long at most. It is taken over only when the
 * same holder was seen in it for that long, since such a holder has died; and it is removed only by who is named in it. A computer that was asleep
 * between two steps of a holder is not told from one that died. Throws CLI_FILE_UNWRITABLE, and what `work` throws.
 */
export async function withLock<T>(
  lock: string,
  { sleep, timeoutMs }: Pick<HttpOptions, 'sleep' | 'timeoutMs'>,
  work: () => Promise<T>,
): Promise<T> {
  const own = `${randomBytes(16).toString('hex')} ${timeoutMs + BESIDE_MS}`
  let seen: string | undefined
  let waitedMs = 0
  while (!(await take(lock, own))) {
    const holder = await holderOf(lock)
    if (holder !== seen) {
      seen = holder
      waitedMs = 0
    }
    if (holder === undefined) continue
    if (waitedMs >= longestOf(holder, timeoutMs)) await remove(lock, holder, own)
    else {
      await sleep(PAUSE_MS)
      waitedMs += PAUSE_MS
    }
  }
  try {
    return await work()
  } finally {
    if ((await holderOf(lock)) === own) await unlink(lock).catch(() => undefined)
  }
}

async function take(lock: string, own: string): Promise<boolean> {
  try {
    const file = await open(lock, 'wx', 0o600)
    try {
      await file.writeFile(own)
    } finally {
      await file.close()
    }
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw new CliError('CLI_FILE_UNWRITABLE', `${dirname(lock)} cannot be written`, { cause })
  }
}

/** What the lock file says; undefined when there is none. */
async function holderOf(lock: string): Promise<string | undefined> {
  return readFile(lock, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined
    throw new CliError('CLI_FILE_UNWRITABLE', `${lock} cannot be read`, { cause })
  })
}

/** How long a holder may hold, in seven digits of milliseconds (TOUCHMARK_TIMEOUT is an hour at most); one that does not say it, as long as we would. */
function longestOf(holder: string, timeoutMs: number): number {
  const said = /^[0-9a-f]{32} (\d{1,7})$/.exec(holder)?.[1]
  return said === undefined ? timeoutMs + BESIDE_MS : Number(said)
}

/** Removes the lock of a holder that died, and puts it back when it turns out to be another one's: somebody else was quicker. */
async function remove(lock: string, holder: string, own: string): Promise<void> {
  const aside = `${lock}.${own.slice(0, 32)}`
  try {
    await rename(lock, aside)
    if ((await readFile(aside, 'utf8')) !== holder) await link(aside, lock).catch(() => undefined)
    await unlink(aside)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return
    throw new CliError('CLI_FILE_UNWRITABLE', `${dirname(lock)} cannot be written`, { cause })
  }
}
