import type { HttpOptions } from '@touchmark/sign'

/** What a provider may look at, and reach the world with. */
export interface AmbientOutside {
  readonly environment: NodeJS.ProcessEnv
  readonly http: HttpOptions
  readonly places: AmbientPlaces
}

/** Files that a system puts at a fixed place. */
export interface AmbientPlaces {
  /** Names the machine's maker: the sign of Google Cloud. */
  readonly productName: string
  /** Where cosign looks for a projected service account token. */
  readonly projectedToken: string
}

/** `lacks`: this is the provider's system, but it hands out no token as it is set up; `what` says why, `hint` what to do. */
export type Detected =
  { readonly state: 'absent' | 'ready' } | { readonly state: 'lacks'; readonly what: string; readonly hint: string }

/** A system that hands identity tokens to what runs on it. */
export interface AmbientProvider {
  /** As `--oidc-provider` takes it. */
  readonly name: string
  /**
   * Says whether this process runs there. MUST NOT ask a remote, except Google's metadata server on a machine of Google's.
   * Throws nothing but what is a fault of ours.
   */
  detect(outside: AmbientOutside, audience: string): Promise<Detected>
  /**
   * Gets a token for the audience. MUST end within a bounded time, MUST NOT follow redirects, and MUST NOT put a token or a bearer into an error.
   * Throws CLI_AMBIENT_REFUSED and SIGN_SERVICE_*.
   */
  token(outside: AmbientOutside, audience: string): Promise<string>
}

export const ABSENT: Detected = { state: 'absent' }
export const READY: Detected = { state: 'ready' }

/** A variable's value; one that is empty is none. */
export function variable(outside: AmbientOutside, name: string): string | undefined {
  return outside.environment[name] || undefined
}

/** True for the values that CI systems mark themselves with. */
export function isSet(outside: AmbientOutside, name: string): boolean {
  const value = variable(outside, name)
  return value !== undefined && value !== 'false' && value !== '0'
}
