import { isCodedError } from '@touchmark/errors'
import { absent } from '../ambient/find-ambient.js'
import type { CliContext } from '../context.js'
import { CliError } from '../errors.js'
import { exitCodeOf } from '../exit-codes.js'
import { readCaConfiguration } from '../identity/ca-configuration.js'
import { forecast, type Forecast } from '../identity/forecast.js'
import { errorJson, printError, printJson, rows } from '../output.js'
import { issuerUrl, caUrlOf } from '../services.js'
import { login, lookForToken, type FoundToken, type Looked, type TokenOptions } from '../tokens.js'
import { trustCurrentInstance, type InstanceOptions, type TrustedInstance } from '../trust-store.js'

/**
 * `touchmark whoami`: which token `sign` would take, and what the certificate would say. Begins a login only with `--login`. Sends the token to nobody.
 * Throws CLI_TOKEN_NONE, CLI_AMBIENT_* and what looking for a token throws.
 */
export async function whoamiCommand(
  context: CliContext,
  options: InstanceOptions & TokenOptions & { login?: boolean },
): Promise<void> {
  const instance = await trustCurrentInstance(context, options)
  const looked = await lookForToken(context, issuerUrl(context, instance), options)
  const token = looked.found ?? (await withoutToken(context, instance, options, looked))
  const told = await foretell(context, instance, token)
  const unfit = told.state === 'refused' ? unfitError(told) : undefined
  if (unfit !== undefined) process.exitCode = exitCodeOf(unfit)
  if (context.json) {
    const error = unfit === undefined ? {} : { error: errorJson(unfit) }
    return printJson(context, { instance: instance.url, ...tokenJson(token), certificate: told, ...error })
  }
  context.out(tokenText(token, context.clock.now()))
  context.out(forecastText(told))
  if (unfit !== undefined) printError(context, unfit)
}

async function withoutToken(
  context: CliContext,
  instance: TrustedInstance,
  options: TokenOptions & { login?: boolean },
  { lacking, unused }: Looked,
): Promise<FoundToken> {
  if (options.login === true) return login(context, issuerUrl(context, instance), options)
  if (lacking[0] !== undefined) throw absent(lacking[0])
  throw new CliError('CLI_TOKEN_NONE', 'there is no identity token here, and nobody is logged in', {
    ...(unused === undefined ? {} : { found: `${unused.file} is not used: ${unused.why}` }),
    hint: 'Run `touchmark login`, or pass --login, or see docs/tokens.md for CI systems.',
  })
}

async function foretell(context: CliContext, instance: TrustedInstance, token: FoundToken): Promise<Forecast> {
  try {
    const configuration = await readCaConfiguration(context, caUrlOf(context, instance))
    return forecast(token, configuration, context.clock.now())
  } catch (error) {
    if (!isCodedError(error)) throw error
    return { state: 'unknown', why: error.message }
  }
}

/** The error of a token that the CA would refuse. */
export function unfitError({ why, expected, found, hint }: Extract<Forecast, { state: 'refused' }>): CliError {
  return new CliError('CLI_TOKEN_UNFIT', `this token would be refused: ${why}`, {
    ...(expected === undefined ? {} : { expected }),
    ...(found === undefined ? {} : { found }),
    hint,
  })
}

function tokenJson({ claims, source }: FoundToken): object {
  return {
    tokenSource: source,
    issuer: claims.issuer,
    subject: claims.subject,
    email: claims.email,
    audiences: claims.audiences,
    expiresAt: claims.expiresAt?.toISOString(),
  }
}

function tokenText({ claims, source }: FoundToken, now: Date): string {
  const pairs: [string, string][] = [
    ['token', source],
    ['issuer', claims.issuer],
  ]
  if (claims.subject !== undefined) pairs.push(['subject', claims.subject])
  if (claims.email !== undefined) pairs.push(['e-mail', claims.email])
  pairs.push(['audience', claims.audiences.join(', ') || 'none'], ['expires', expiryText(claims.expiresAt, now)])
  return rows(pairs, '')
}

/** A time and how far away it is. */
export function expiryText(expiresAt: Date | undefined, now: Date): string {
  if (expiresAt === undefined) return 'not said'
  const minutes = Math.trunc((expiresAt.getTime() - now.getTime()) / 60_000)
  return `${expiresAt.toISOString()} (${minutes >= 0 ? `in ${minutes} min` : `${-minutes} min ago`})`
}

function forecastText(told: Forecast): string {
  if (told.state === 'refused') return ''
  if (told.state === 'unknown')
    return `What the certificate would say cannot be known beforehand:\n${rows([['why', told.why]])}`
  return `The certificate would say\n${rows([
    ['name', `${told.name} (${told.kind})`],
    ['issuer', told.issuer],
    ...Object.entries(told.extensions),
  ])}`
}
