import type { Recovery, RecoveryOptions, TreeSurvey } from '@touchmark/app-standalone'
import type { CliContext } from '../context.js'
import { CliError } from '../errors.js'
import { EXIT } from '../exit-codes.js'
import { printJson, rows } from '../output.js'

export interface LogRecoverOptions extends RecoveryOptions {
  readonly tree?: string
  readonly size?: string
  readonly acceptLoss?: boolean
  readonly replaceGuard?: boolean
}

/** What a verdict means, and what to do about it; nothing where all is well. */
const MEANING: Readonly<Record<TreeSurvey['verdict'], string>> = {
  agrees: 'the database has everything that the guard has seen',
  absent: 'MISSING: the guard has seen this tree, and the database does not have it',
  unknown: 'the guard has never seen this tree; the next start believes the database',
  behind: 'ENTRIES ARE MISSING: this database is older than what was shown to clients',
  forked: 'FORKED: the database holds another history than the one that was shown to clients',
  'active-again': 'this tree was given up, and this database, which is older than that, has it active',
  foreign: 'the guard holds a checkpoint that the key of this tree has not signed',
  damaged: 'the guard cannot be read',
  unavailable: 'the guard does not answer',
}
const FINE: readonly TreeSurvey['verdict'][] = ['agrees', 'unknown']

/**
 * `touchmark log recover`: every tree beside what the rollback guard has seen; changes nothing unless --accept-loss or --replace-guard names a tree and its size.
 * Ends with 3 while a tree is missing or cannot be started. One that was given up is settled.
 */
export async function logRecover(context: CliContext, options: LogRecoverOptions): Promise<void> {
  const change = changeOf(options)
  const { openRecovery } = await import('@touchmark/app-standalone')
  const recovery = await openRecovery(options, context.environment)
  try {
    if (change !== undefined) await carryOut(context, recovery, change)
    const trees = await recovery.survey()
    if (context.json) printJson(context, { trees: trees.map(treeJson), ...(change ? { done: change } : {}) })
    else for (const tree of trees) printTree(context, tree, options)
    if (trees.some((tree) => !isFine(tree))) process.exitCode = EXIT.notVerified
  } finally {
    await recovery.close()
  }
}

function isFine({ verdict, givenUp }: TreeSurvey): boolean {
  return FINE.includes(verdict) || (verdict === 'absent' && givenUp !== undefined)
}

interface Change {
  readonly what: 'accept-loss' | 'replace-guard'
  readonly tree: string
  readonly size: bigint
}

function changeOf({ tree, size, acceptLoss, replaceGuard }: LogRecoverOptions): Change | undefined {
  if (acceptLoss !== true && replaceGuard !== true) {
    if (tree === undefined && size === undefined) return undefined
    throw new CliError('CLI_USAGE', '--tree and --size belong to --accept-loss or --replace-guard')
  }
  if (acceptLoss === true && replaceGuard === true)
    throw new CliError('CLI_USAGE', 'give --accept-loss or --replace-guard, not both')
  if (tree === undefined || size === undefined || !/^\d{1,19}$/.test(size)) {
    throw new CliError(
      'CLI_USAGE',
      'name the tree and its size: --tree ORIGIN --size N, as `touchmark log recover` shows them',
    )
  }
  return { what: acceptLoss === true ? 'accept-loss' : 'replace-guard', tree, size: BigInt(size) }
}

async function carryOut(context: CliContext, recovery: Recovery, { what, tree, size }: Change): Promise<void> {
  if (what === 'replace-guard') {
    await recovery.replaceGuard(tree, size, context.clock)
    context.err(
      `The guard's record of ${tree} was put aside. It begins again with the ${size} entries of the database.\n`,
    )
    return
  }
  const { lost, kept } = await recovery.giveUp(tree, size, context.clock)
  const done = kept === '' ? `${tree} is given up, for ever.` : `${tree} is frozen at ${size} entries, for ever.`
  context.err(
    `${done} ${lost.length} checkpoints that the database does not extend are kept with the guard: publish them.\n`,
  )
}

function printTree(context: CliContext, tree: TreeSurvey, options: LogRecoverOptions): void {
  const { missing, guardSize } = tree
  context.out(
    rows(
      [
        ['tree', `${tree.origin} (${tree.kind}, ${tree.state})`],
        ['database', `${tree.size} entries`],
        ['guard', guardSize === undefined || guardSize === 0n ? 'nothing' : `${guardSize} entries`],
        ...(missing ? [['missing', `entries ${missing.first} to ${missing.last}`] as const] : []),
        ...(tree.givenUp ? [['given up', tree.givenUp.at] as const] : []),
        ['verdict', `${tree.verdict}: ${MEANING[tree.verdict]}`],
        ...(tree.problem === undefined ? [] : [['problem', tree.problem] as const]),
      ],
      '',
    ),
  )
  context.out(`${waysOn(tree, options)}\n`)
}

/** What comes after a tree was given up. */
const NEXT: Readonly<Record<TreeSurvey['kind'], string>> = {
  'signature-v2': 'Then begin a new shard: touchmark log rollover --public-url URL',
  'signature-v1': 'Then begin a new tree: touchmark log rollover --v1',
  certificate: 'Without a certificate log the CA issues nothing more: it needs a new instance.',
}

/** What an operator can do about a verdict, with the commands as they are to be typed. */
export function waysOn(
  {
    verdict,
    origin,
    size,
    kind,
    state,
    givenUp,
  }: Pick<TreeSurvey, 'verdict' | 'origin' | 'size' | 'kind'> & Partial<Pick<TreeSurvey, 'state' | 'givenUp'>>,
  { data }: LogRecoverOptions,
): string {
  const command = `touchmark log recover${data === undefined ? '' : ` --data ${data}`} --tree '${origin}' --size ${size}`
  const next = NEXT[kind]
  if (verdict === 'absent')
    return givenUp === undefined ? waysOnWithout(kind, command, next) : `\n${next}, unless that was done.\n`
  if (state === 'absent' && verdict !== 'unavailable') return RECORD_OF_ABSENT
  switch (verdict) {
    case 'behind':
    case 'forked':
    case 'active-again':
      return `
Ways on:
  1. Keep everything stopped. Find a newer copy: a standby, a later backup, archived WAL, the disk of the old server.
     Restore it and run this command again. Nothing is lost then, and nobody will have noticed.
  2. Only if there is no such copy: give the tree up. It stays readable and takes no more entries; it cannot go on under
     its key, because every client that has seen the longer tree would see a fork, for ever. This cannot be undone:
       ${command} --accept-loss
     ${next}
`
    case 'foreign':
    case 'damaged':
      return `
Ways on:
  1. Restore the guard's record, or name the right guard with --guard.
  2. If you know that this database is the newest there is, put the record aside and begin it anew:
       ${command} --replace-guard
`
    case 'unavailable':
      return '\nWays on: bring the guard back, and run this command again.\n'
    default:
      return ''
  }
}

/** There is no head in the database that could take the place of the record. */
const RECORD_OF_ABSENT = `
Ways on: the database does not have this tree. Restore a copy of it that has, or the guard's record, or name the right guard
with --guard. A record that is certainly none of this tree can be moved away by hand.
`

/** The ways on for a tree that the database does not have. */
function waysOnWithout(kind: TreeSurvey['kind'], command: string, next: string): string {
  const newer = `
Ways on:
  1. Keep everything stopped. Find a newer copy of the database, one that has this tree: a standby, a later backup, archived
     WAL, the disk of the old server. Restore it and run this command again. Nothing is lost then.`
  if (kind === 'certificate') {
    return `${newer}
  2. There is no other. Nothing can follow a certificate log: without such a copy this instance is at its end, and a new one
     (new --data, new database, new host name) is the way on.
`
  }
  return `${newer}
  2. Only if there is no such copy: give the tree up. What it held cannot be read or proven by this instance any more, and it is
     never begun again under its key and name. This cannot be undone:
       ${command} --accept-loss
     ${next}
     The service starts when that was done.
`
}

function treeJson(tree: TreeSurvey): Record<string, unknown> {
  return { ...tree, guardSize: tree.guardSize ?? null, missing: tree.missing ?? null, givenUp: tree.givenUp ?? null }
}
