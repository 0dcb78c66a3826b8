const SHOWN = 20

export function printFigures(figures) {
  const { cases, agreed, acceptedByAll, refusedByAll, accepted, withGo, disagreements } = figures
  const n = (value) => value.toLocaleString('en')
  console.log(`${n(cases)} cases, seed ${figures.seed}, ${figures.seconds.toFixed(0)} s`)
  console.log(
    `accepted: touchmark ${n(accepted.ours)}, sigstore-js ${n(accepted.js)}${withGo ? `, sigstore-go ${n(accepted.go)}` : ' (sigstore-go was not asked)'}`,
  )
  console.log(
    `all agree on ${n(agreed)} (${n(acceptedByAll)} accepted, ${n(refusedByAll)} refused); ${n(disagreements)} disagreements:\n`,
  )
  const rows = [['reason', 'we', 'sigstore-js', 'sigstore-go', 'right']]
  for (const { id, we, js, go, right } of figures.reasons)
    if (js + go > 0) rows.push([id, we, n(js), withGo ? n(go) : '-', right])
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)))
  for (const row of rows)
    console.log(
      row
        .map((cell, i) => (i === 2 || i === 3 ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
        .join('  ')
        .trimEnd(),
    )
  for (const { id, cases: listed = [] } of figures.reasons)
    if (listed.length > 0)
      console.log(
        `\n${id}:\n${listed
          .slice(0, SHOWN)
          .map((label) => `  ${label}`)
          .join('\n')}`,
      )
  for (const { case: label, why } of figures.faults.slice(0, SHOWN)) console.log(`\nFAULT  ${label}\n       ${why}`)
  for (const { case: label, peer, we, they } of figures.unexplained.slice(0, SHOWN))
    console.log(`\nNO REASON  ${label}\n  touchmark    ${we}\n  sigstore-${peer.padEnd(3)} ${they}`)
  console.log(`\n${n(figures.unexplained.length)} without a reason, ${n(figures.faults.length)} faults`)
}

/** The rows of docs/design/differential.md. */
export function printMarkdown({ reasons }) {
  for (const we of ['accept', 'refuse']) {
    console.log(`\n| reason | js | go | right | why | see |\n| --- | --- | --- | --- | --- | --- |`)
    for (const one of reasons)
      if (one.we === we)
        console.log(`| \`${one.id}\` | ${one.js} | ${one.go} | ${one.right} | ${one.why} | ${one.see} |`)
  }
}

export function printCase(one, verdicts, compare) {
  console.log(`${one.number} ${one.name}: ${one.changes.join(' + ')}`)
  for (const [judge, { accepted, why }] of Object.entries(verdicts)) {
    const reason =
      judge === 'ours' || accepted === verdicts.ours.accepted
        ? undefined
        : compare.reasonFor(one, verdicts.ours, judge, verdicts[judge])
    console.log(
      `${judge.padEnd(5)} ${accepted ? 'accepts' : `refuses: ${why}`}${reason === undefined ? '' : `   [${reason.id}]`}`,
    )
  }
  console.log(Buffer.from(one.bytes).toString())
}
