import type { CliContext } from '../context.js'
import { checkClock, samplingFetch, type ClockSample } from '../doctor/clock.js'
import { notChecked, problem, type Finding } from '../doctor/finding.js'
import { checkHome, checkNode } from '../doctor/machine.js'
import { checkServices } from '../doctor/services.js'
import { checkToken } from '../doctor/token.js'
import { checkInstance } from '../doctor/trust-root.js'
import { printable, printJson, Progress, rows } from '../output.js'
import type { TokenOptions } from '../tokens.js'
import { instanceUrl, type InstanceOptions } from '../trust-store.js'

/** Enough for a service that is busy, and not so much that one that is gone holds up the rest. */
const PATIENCE = { tries: 2, timeoutMs: 5000 } as const

/**
 * `touchmark doctor`: looks at everything that a signing needs, trusts nobody anew, and says what to fix. The exit code is that of the
 * first problem; warnings leave it 0.
 */
export async function doctorCommand(
  context: CliContext,
  options: InstanceOptions & TokenOptions,
  nodeVersion: string = process.versions.node,
): Promise<void> {
  const progress = new Progress(context)
  progress.show('looking …')
  let findings: readonly Finding[]
  try {
    findings = await examine(context, options, nodeVersion)
  } finally {
    progress.clear()
  }
  const problems = findings.filter(({ state }) => state === 'problem')
  if (problems[0]?.exit !== undefined) process.exitCode = problems[0].exit
  if (context.json)
    return printJson(context, {
      ok: problems.length === 0,
      checks: findings,
    })
  context.out(table(findings))
}

async function examine(
  context: CliContext,
  options: InstanceOptions & TokenOptions,
  nodeVersion: string,
): Promise<Finding[]> {
  const samples: ClockSample[] = []
  const http = {
    ...context.http,
    tries: Math.min(context.http.tries, PATIENCE.tries),
    timeoutMs: Math.min(context.http.timeoutMs, PATIENCE.timeoutMs),
    fetch: samplingFetch(context.http.fetch, context.clock, samples),
  }
  const asking: CliContext = { ...context, http }
  const findings: Finding[] = [checkNode(nodeVersion), await checkHome(context)]
  let url: string
  try {
    url = await instanceUrl(context, options)
  } catch (error) {
    return [...findings, problem('instance', error), notChecked('the rest', 'no instance is known')]
  }
  const found = await checkInstance(asking, url, options)
  findings.push(...found.findings)
  const { instance } = found
  if (instance === undefined)
    return [
      ...findings,
      ...checkClock(samples, undefined),
      notChecked('services', 'the instance does not say where they are'),
      notChecked('token', 'the instance does not say whose'),
    ]
  const services = await checkServices(asking, instance)
  findings.push(...services.findings, ...checkClock(samples, services.stamp))
  findings.push(await checkToken(asking, instance, options))
  return findings
}

function table(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length))
  const lines = findings.map((one) => {
    const more: [string, string][] = []
    if (one.expected !== undefined) more.push(['expected', one.expected])
    if (one.found !== undefined) more.push(['found', one.found])
    if (one.do !== undefined) more.push(['do', one.do])
    if (one.code !== undefined) more.push(['code', one.code])
    const head = `${one.state.padEnd(11)}  ${one.check.padEnd(width)}  ${printable(one.says)}\n`
    return head + (more.length === 0 ? '' : rows(more, ' '.repeat(13)))
  })
  const count = (state: string): number => findings.filter((one) => one.state === state).length
  const [problems, warnings] = [count('problem'), count('warning')]
  const end =
    problems === 0
      ? warnings === 0
        ? 'All is well.\n'
        : `No problem, ${warnings} to look at.\n`
      : `${problems} to fix${warnings === 0 ? '' : `, ${warnings} to look at`}.\n`
  return `${lines.join('')}${end}`
}
