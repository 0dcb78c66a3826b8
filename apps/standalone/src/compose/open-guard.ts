import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CombinedGuard, FileGuard, HttpGuard, type HeadGuard } from '@touchmark/ledger'
import { gauge, type Logger, type Registry } from '@touchmark/service'
import type { StandaloneConfig } from '../config/options.js'
import { StandaloneError } from '../errors.js'

/** Where the guard is kept unless a folder is named. */
const FOLDER = 'guard'
const WATCH_MS = 5_000

type GuardConfig = Pick<StandaloneConfig, 'dataDir' | 'guard'>

/** The rollback guard as it is configured: always a folder, and every address that is named besides. Throws STANDALONE_CONFIG. */
export function openGuard({ dataDir, guard }: GuardConfig): HeadGuard {
  const token = guard.tokenFile === undefined ? undefined : readToken(guard.tokenFile)
  return new CombinedGuard([
    new FileGuard(guard.folder ?? join(dataDir, FOLDER)),
    ...guard.urls.map(
      (url) =>
        new HttpGuard({
          url,
          fetch: (address, init) => fetch(address, init),
          optional: guard.optional,
          ...(token === undefined ? {} : { token }),
        }),
    ),
  ])
}

/** Says aloud when heads are not being kept, and when they are again; entries are taken meanwhile, since the database has them. */
export function watchGuard(guard: HeadGuard, logger: Logger, registry: Registry): { stop(): void } {
  gauge(
    registry,
    'touchmark_rollback_guard_ok',
    'Whether the newest checkpoints are being kept outside of the database.',
    () => (guard.problem() === undefined ? 1 : 0),
  )
  let told: string | undefined
  const look = (): void => {
    const problem = guard.problem()
    if (problem === told) return
    told = problem
    if (problem === undefined) logger.warn('rollback guard: checkpoints are being kept again')
    else logger.error({ problem }, 'rollback guard: a database that goes back in time would not be noticed')
  }
  look()
  const timer = setInterval(look, WATCH_MS)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}

function readToken(file: string): string {
  let token: string
  try {
    token = readFileSync(file, 'utf8').trim()
  } catch (cause) {
    throw new StandaloneError('STANDALONE_CONFIG', `the guard's token file ${file} cannot be read`, { cause })
  }
  // It becomes a header: nothing but what may stand in a bearer token.
  if (/^[\w.~+/=-]+$/.test(token)) return token
  throw new StandaloneError('STANDALONE_CONFIG', `the guard's token file ${file} holds no bearer token`)
}
