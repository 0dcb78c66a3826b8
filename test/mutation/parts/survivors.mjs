// The mutants that survive and why each changes nothing: `survivors.json`. A mutant is known by its file, the line it stands in and what it makes of it,
// never by a line number, so that it survives edits around it.
import { readFileSync } from 'node:fs'

const LIST = new URL('../survivors.json', import.meta.url)
const SNIPPET_CHARS = 160

const oneLine = (text) => text.replaceAll(/\s+/g, ' ').trim().slice(0, SNIPPET_CHARS)

/** What a piece of source is, from one position to another (lines and columns from 1). */
function textBetween(lines, { start, end }) {
  if (start.line === end.line) return lines[start.line - 1].slice(start.column - 1, end.column - 1)
  const whole = lines.slice(start.line - 1, end.line)
  whole[0] = whole[0].slice(start.column - 1)
  whole[whole.length - 1] = whole.at(-1).slice(0, end.column - 1)
  return whole.join('\n')
}

/** Mutants of a report that no test has noticed, in the order of the files. */
export function survivorsOf(report) {
  return Object.entries(report.files).flatMap(([file, { source, mutants }]) => {
    const lines = source.split('\n')
    return mutants
      .filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
      .map(({ mutatorName, location, replacement = '' }) => ({
        file,
        at: `${file}:${location.start.line}:${location.start.column}`,
        mutator: mutatorName,
        line: oneLine(lines[location.start.line - 1]),
        original: oneLine(textBetween(lines, location)),
        replacement: oneLine(replacement),
      }))
  })
}

const keyOf = ({ file, mutator, line, original, replacement }) =>
  JSON.stringify([file, mutator, line, original, replacement])

/** Holds what survived in some files against the list: what is argued, what is not, and what the list has and no mutant is. */
export function compareWithList(survivors, isCovered) {
  const listed = JSON.parse(readFileSync(LIST, 'utf8'))
    .flatMap(({ mutants, why, ...shared }) => mutants.map((mutant) => ({ ...shared, ...mutant, why })))
    .filter(({ file }) => isCovered(file))
  const open = new Map()
  for (const entry of listed) open.set(keyOf(entry), [...(open.get(keyOf(entry)) ?? []), entry])
  const argued = []
  const unargued = []
  for (const survivor of survivors) {
    const entry = open.get(keyOf(survivor))?.pop()
    if (entry === undefined) unargued.push(survivor)
    else argued.push({ ...survivor, why: entry.why })
  }
  return { argued, unargued, stale: [...open.values()].flat() }
}
