import type { Difference, TreeReport } from '@touchmark/audit'
import { hexEncode } from '@touchmark/encoding'
import type { CliContext } from '../context.js'
import { printable, printJson, rows } from '../output.js'
import { counted } from './progress-bar.js'

/** What came out for one tree. */
export interface Outcome {
  /** Address, folder, or `database`. */
  readonly place: string
  readonly origin: string
  readonly report: TreeReport
  readonly seconds: number
}

export function isConsistent({ report }: Outcome): boolean {
  return report.differences.length === 0
}

export function printOutcomes(context: CliContext, outcomes: readonly Outcome[]): void {
  if (context.json) {
    const logs = outcomes.map(outcomeJson)
    return printJson(context, { consistent: outcomes.every(isConsistent), logs })
  }
  for (const outcome of outcomes) context.out(outcomeText(outcome))
}

function outcomeJson({ place, origin, report, seconds }: Outcome): Record<string, unknown> {
  const { size, root, tiles, bytes, differences, unlisted } = report
  return {
    place,
    origin,
    consistent: differences.length === 0,
    size,
    root: hexEncode(root),
    tiles,
    bytes,
    seconds: Number(seconds.toFixed(3)),
    differences: differences.map(({ kind, message, path, entry, expected, found, blame }) => ({
      kind,
      message,
      path,
      entry,
      expected,
      found,
      blame,
    })),
    unlisted,
  }
}

function outcomeText({ place, origin, report, seconds }: Outcome): string {
  const { size, root, tiles, bytes, differences, unlisted } = report
  const megabytes = counted(Math.round(Number(bytes) / 1e6))
  const head = rows(
    [
      ['log', origin],
      ['read from', place],
      ['entries', `${counted(size)} in ${megabytes} MB, and ${counted(tiles)} tiles`],
      ['root', hexEncode(root)],
      ['took', `${seconds.toFixed(1)} s, ${counted(Math.round(Number(size) / Math.max(seconds, 0.001)))} entries/s`],
    ],
    '',
  )
  if (differences.length === 0) return `${head}consistent: every entry, tile and hash leads to the signed root.\n\n`
  const total = differences.length + unlisted
  const more = unlisted === 0 ? '' : `… and ${counted(unlisted)} more\n`
  return `${head}DAMAGED: ${counted(total)} ${total === 1 ? 'difference' : 'differences'}\n${differences.map(differenceText).join('')}${more}\n`
}

const BLAME = {
  entry: 'the rest of the tree speaks against the entry',
  tile: 'the rest of the tree speaks against the tile',
} as const

function differenceText({ kind, message, expected, found, blame }: Difference): string {
  const pairs: [string, string][] = []
  if (expected !== undefined) pairs.push(['expected', expected])
  if (found !== undefined) pairs.push(['found', found])
  if (blame !== undefined && expected !== undefined) pairs.push(['because', BLAME[blame]])
  return `- ${kind}: ${printable(message)}\n${pairs.length === 0 ? '' : rows(pairs, '    ')}`
}
