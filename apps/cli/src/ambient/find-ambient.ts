import { isCodedError } from '@touchmark/errors'
import { CliError } from '../errors.js'
import { aws } from './aws.js'
import { azure } from './azure.js'
import { buildkiteAgent } from './buildkite-agent.js'
import { circleci } from './circleci.js'
import { githubActions } from './github-actions.js'
import { gitlab } from './gitlab.js'
import { google } from './google.js'
import { kubernetes } from './kubernetes.js'
import type { AmbientOutside, AmbientPlaces, AmbientProvider, Detected } from './provider.js'
import { spiffe } from './spiffe.js'
import { audiencesOf } from './token-file.js'

/** In the order in which they are asked: what belongs to one job before what belongs to a machine. */
export const AMBIENT_PROVIDERS: readonly AmbientProvider[] = [
  githubActions,
  gitlab,
  buildkiteAgent,
  circleci,
  kubernetes,
  spiffe,
  google,
  aws,
  azure,
]

export const AMBIENT_PLACES: AmbientPlaces = {
  productName: '/sys/class/dmi/id/product_name',
  projectedToken: '/var/run/sigstore/cosign/oidc-token',
}

/** A system that is here and hands out no token as it is set up. */
export interface Lacking {
  readonly provider: string
  readonly what: string
  readonly hint: string
}

export interface AmbientFound {
  readonly found?: { readonly token: string; readonly provider: string }
  readonly lacking: readonly Lacking[]
}

/**
 * The token of the first system that this process runs on, or of the one that was chosen: for the audience, or none. A system that is there and fails is
 * an error: who works on it would otherwise sign as somebody else. Throws CLI_USAGE, CLI_AMBIENT_ABSENT, CLI_AMBIENT_REFUSED, CLI_FILE_UNREADABLE, SIGN_SERVICE_*.
 */
export async function findAmbient(
  outside: AmbientOutside,
  audience: string,
  chosen: string | undefined,
): Promise<AmbientFound> {
  if (chosen !== undefined) return askChosen(outside, audience, chosen)
  const lacking: Lacking[] = []
  for (const provider of AMBIENT_PROVIDERS) {
    const detected = await provider.detect(outside, audience)
    if (detected.state === 'ready') return { found: await tokenOf(provider, outside, audience), lacking }
    if (detected.state === 'lacks') lacking.push({ provider: provider.name, what: detected.what, hint: detected.hint })
  }
  return { lacking }
}

async function askChosen(outside: AmbientOutside, audience: string, chosen: string): Promise<AmbientFound> {
  const provider = AMBIENT_PROVIDERS.find(({ name }) => name === chosen)
  if (provider === undefined) {
    throw new CliError('CLI_USAGE', `there is no token provider ${chosen.slice(0, 100)}`, {
      expected: AMBIENT_PROVIDERS.map(({ name }) => name).join(', '),
    })
  }
  const detected: Detected = await provider.detect(outside, audience)
  if (detected.state === 'ready') return { found: await tokenOf(provider, outside, audience), lacking: [] }
  throw absent(
    detected.state === 'lacks'
      ? { provider: chosen, what: detected.what, hint: detected.hint }
      : {
          provider: chosen,
          what: `this is no job or machine of ${chosen}`,
          hint: 'Leave --oidc-provider out to take what is here.',
        },
  )
}

/** The error for a system that hands out no token as it is set up. */
export function absent({ provider, what, hint }: Lacking): CliError {
  return new CliError('CLI_AMBIENT_ABSENT', `${provider} hands out no identity token here`, { found: what, hint })
}

async function tokenOf(
  provider: AmbientProvider,
  outside: AmbientOutside,
  audience: string,
): Promise<{ token: string; provider: string }> {
  const token = await provider.token(outside, audience).catch((error: unknown) => {
    throw withHint(error, provider.name)
  })
  const audiences = audiencesOf(token)
  if (audiences === undefined)
    throw withHint(new CliError('CLI_AMBIENT_REFUSED', 'what was handed out is not a JWT'), provider.name)
  // A token for another service could be spent there by whoever gets it.
  if (!audiences.includes(audience)) {
    throw new CliError('CLI_AMBIENT_REFUSED', `the token of ${provider.name} is for another audience`, {
      expected: audience,
      found: audiences.join(', ') || 'none',
      hint: 'Ask for a token for this audience; if the instance expects another one, name it with --oidc-client-id.',
    })
  }
  return { token, provider: provider.name }
}

/** Says which system failed, and how to do without it. */
function withHint(error: unknown, name: string): unknown {
  if (!isCodedError(error) || error.code !== 'CLI_AMBIENT_REFUSED') return error
  return new CliError('CLI_AMBIENT_REFUSED', `${name}: ${error.message}`, {
    ...error.details,
    cause: error,
    hint: error.details.hint ?? 'Read what was found. To do without this system: --no-ambient, or --identity-token.',
  })
}
