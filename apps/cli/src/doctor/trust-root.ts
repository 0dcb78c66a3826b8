import { isCodedError } from '@touchmark/errors'
import { isWithin, type Authority, type LogInstance, type TimeRange, type TrustedRoot } from '@touchmark/trust'
import { parseCertificate } from '@touchmark/x509'
import type { CliContext } from '../context.js'
import { CliError } from '../errors.js'
import {
  checkPin,
  fetchInstance,
  fingerprintText,
  storedInstance,
  type InstanceOptions,
  type TrustedInstance,
} from '../trust-store.js'
import { ok, problem, warning, type Finding } from './finding.js'

const SOON_MS = 30 * 24 * 3600_000

/** What the checks after these ones go on with. */
export interface InstanceFindings {
  readonly findings: readonly Finding[]
  /** What the instance serves; else what is kept. */
  readonly instance: TrustedInstance | undefined
}

/** Is the instance there, and is its root the one that is kept? Nothing is stored: a first use is for a command that a person meant to trust with. */
export async function checkInstance(
  context: CliContext,
  url: string,
  options: InstanceOptions,
): Promise<InstanceFindings> {
  const findings: Finding[] = []
  const attempt = async (check: string, work: () => Promise<TrustedInstance | undefined>) => {
    try {
      return await work()
    } catch (error) {
      findings.push(problem(check, error))
      return undefined
    }
  }
  const served = await attempt('instance', () => fetchInstance(context, url))
  if (served !== undefined) findings.push(ok('instance', `${url} answers`))
  const before = findings.length
  const stored = await attempt('trust root', () => storedInstance(context, url))
  if (findings.length === before) findings.push(compareRoots(context, options, stored, served))
  const instance = served ?? stored
  if (instance !== undefined) findings.push(...checkWindows(instance.config.trustedRoot, context.clock.now()))
  return { findings, instance }
}

function compareRoots(
  context: CliContext,
  options: InstanceOptions,
  stored: TrustedInstance | undefined,
  served: TrustedInstance | undefined,
): Finding {
  const check = 'trust root'
  const known = stored ?? served
  if (known === undefined)
    return { check, state: 'not checked', says: 'the instance does not answer, and no root is kept' }
  try {
    checkPin(context, options, known)
  } catch (error) {
    return problem(check, error)
  }
  const fingerprint = fingerprintText(known.fingerprint)
  if (stored === undefined)
    return warning(
      check,
      'no root is kept yet: the next command would trust the one that is served',
      `Compare ${fingerprint} with what the operator tells you, then: touchmark trust use ${known.url}`,
    )
  if (served === undefined) return ok(check, `${fingerprint} is kept; what is served could not be read`)
  if (served.fingerprint === stored.fingerprint) return ok(check, `${fingerprint}, as served`)
  const error = new CliError('CLI_TRUST_CHANGED', 'the instance serves another trust root than the one that is kept', {
    expected: fingerprint,
    found: fingerprintText(served.fingerprint),
    hint: `Ask who runs the instance whether that was meant. If so: touchmark trust use ${stored.url} --replace ${fingerprintText(served.fingerprint)}`,
  })
  return problem(check, error)
}

/** Is there one of each kind that is trusted now, and for how long? */
export function checkWindows(root: TrustedRoot, now: Date): Finding[] {
  const authority = ({ validFor, certificates }: Authority): Window => ({ validFor, certificates })
  const log = ({ publicKey }: LogInstance): Window => ({ validFor: publicKey.validFor, certificates: [] })
  return [
    checkWindow('certificate authority', root.certificateAuthorities.map(authority), now),
    checkWindow('signature log key', root.tlogs.map(log), now),
    checkWindow('certificate log key', root.ctlogs.map(log), now),
    checkWindow('timestamp authority', root.timestampAuthorities.map(authority), now),
  ]
}

interface Window {
  readonly validFor: TimeRange | undefined
  readonly certificates: readonly Uint8Array[]
}

function checkWindow(check: string, windows: readonly Window[], now: Date): Finding {
  const ends = windows
    .filter(({ validFor }) => isWithin(now, validFor))
    .flatMap((window) => endOf(window, now))
    .sort((a, b) => b - a)
  if (ends[0] === undefined) {
    const error = new CliError('CLI_TRUST_EXPIRED', `the trust root has no ${check} that is good now`, {
      found: windows.length === 0 ? 'none at all' : `${windows.length}, none of them at ${now.toISOString()}`,
      hint: 'Set the clock if it is wrong; else ask the operator of the instance for a new trust root.',
    })
    return problem(check, error)
  }
  if (ends[0] === Infinity) return ok(check, 'trusted, with no end set')
  const until = new Date(ends[0]).toISOString()
  return ends[0] - now.getTime() < SOON_MS
    ? warning(check, `trusted until ${until}`, 'Ask the operator of the instance for a trust root that goes further.')
    : ok(check, `trusted until ${until}`)
}

/** The end of what is good now, in milliseconds: of the window, or of a certificate that ends before. Nothing when a certificate does not fit the time. */
function endOf({ validFor, certificates }: Window, now: Date): number[] {
  let end = validFor?.end?.getTime() ?? Infinity
  for (const der of certificates) {
    try {
      const { notBefore, notAfter } = parseCertificate(der)
      if (now < notBefore || now > notAfter) return []
      end = Math.min(end, notAfter.getTime())
    } catch (error) {
      if (!isCodedError(error)) throw error
      return []
    }
  }
  return [end]
}
