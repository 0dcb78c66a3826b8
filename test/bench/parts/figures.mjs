/** The middle value; of an even number, the lower of the two. */
export function median(values) {
  const sorted = values.filter((value) => typeof value === 'number').sort((a, b) => a - b)
  return sorted[(sorted.length - 1) >> 1]
}

/** Medians of the members that are compared, over repetitions of one run; errors are summed, for one is one too many. */
export function medianRun(runs) {
  const middle = (name) => median(runs.map((run) => run[name]))
  return {
    clients: runs[0].clients,
    perSecond: middle('per_second'),
    p50Ms: middle('p50_ms'),
    p99Ms: middle('p99_ms'),
    errors: runs.reduce((sum, { errors }) => sum + Math.abs(errors), 0),
    firstError: runs.find((run) => run.first_error)?.first_error,
    runs: runs.map(({ per_second, p50_ms, p99_ms, errors }) => ({ per_second, p50_ms, p99_ms, errors })),
  }
}

/** The run with the highest rate among those without an error; undefined when every one had some. */
export function bestRun(runs) {
  const clean = runs.filter(({ errors, perSecond }) => errors === 0 && perSecond > 0)
  return clean.sort((a, b) => b.perSecond - a.perSecond)[0]
}

export const number = (value) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) return '-'
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(value >= 10 ? 1 : 2)
}

/** Rows of strings as a table; the first column left, the others right. */
export function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column] ?? '').length)))
  const cell = (text, column) => (column === 0 ? String(text).padEnd(widths[0]) : String(text).padStart(widths[column]))
  return rows
    .map((row) =>
      row
        .map((text, column) => cell(text ?? '', column))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
