import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { isCodedError } from '@touchmark/errors'
import { managedKey, obtainIdentity, SignError, type SignContext, type SigningIdentity } from '@touchmark/sign'
import { parseCertificate } from '@touchmark/x509'
import type { CliContext } from '../context.js'
import { CliError } from '../errors.js'
import { openKeyFile } from '../keys/key-files.js'
import type { PasswordOptions } from '../keys/password.js'
import type { FoundToken, TokenOptions } from '../tokens.js'

/** Who signs the files of one run. */
export interface IdentitySource {
  /** The identity to sign the next file with. MUST be asked anew for each file. */
  current(): Promise<SigningIdentity>
}

/** A certificate is not begun with in its last part: signing, logging and stamping must end within it. */
const MARGIN_MS = 90_000

/**
 * One certificate for as many files as its ten minutes allow, then another one, for a token of the same person.
 * `findToken` is asked for each certificate after the first one.
 */
export class KeylessIdentity implements IdentitySource {
  readonly #context: CliContext
  readonly #services: SignContext
  readonly #token: FoundToken
  readonly #findToken: () => Promise<FoundToken>
  #held: Promise<{ identity: SigningIdentity; until: number }> | undefined

  constructor(context: CliContext, services: SignContext, token: FoundToken, findToken: () => Promise<FoundToken>) {
    this.#context = context
    this.#services = services
    this.#token = token
    this.#findToken = findToken
  }

  async current(): Promise<SigningIdentity> {
    // One at a time: files that find the certificate too old together wait for one new one.
    this.#held =
      this.#held === undefined
        ? this.#obtain(this.#token)
        : this.#held.then((held) => (this.#now() < held.until ? held : this.#renew()))
    return (await this.#held).identity
  }

  async #obtain({ token }: FoundToken): Promise<{ identity: SigningIdentity; until: number }> {
    const asked = this.#now()
    const makeKey = () => generateSigner({ kind: 'ecdsa', curve: 'P-256' })
    const identity = await obtainIdentity(token, makeKey, this.#services)
    const { notBefore, notAfter } = parseCertificate(identity.certificate)
    const lifetimeMs = notAfter.getTime() - notBefore.getTime()
    // Counted from when it was asked for: this machine's clock need not be the authority's.
    return { identity, until: asked + lifetimeMs - Math.min(MARGIN_MS, lifetimeMs / 4) }
  }

  async #renew(): Promise<{ identity: SigningIdentity; until: number }> {
    try {
      const token = await this.#findToken()
      const { issuer, principal } = this.#token.claims
      if (token.claims.issuer !== issuer || token.claims.principal !== principal)
        throw new SignError('SIGN_TOKEN_REFUSED', 'somebody else is logged in now', {
          expected: `${principal} (${issuer})`,
          found: `${token.claims.principal} (${token.claims.issuer})`,
        })
      return await this.#obtain(token)
    } catch (cause) {
      if (!isCodedError(cause)) throw cause
      throw new SignError('SIGN_TOKEN_REFUSED', 'the certificate of this run has run out, and there is no new one', {
        cause,
        found: `${cause.code}: ${cause.message}`,
        hint: 'Get a fresh token, and run the same command with --resume: it goes on with the files that are left.',
      })
    }
  }

  #now(): number {
    return this.#context.clock.now().getTime()
  }
}

export interface KeyOptions extends PasswordOptions {
  /** `--key`: an encrypted private key file, instead of a login. */
  readonly key?: string
}

/** The identity of a key file. Throws CLI_USAGE for what goes only with a login, and what opening the file throws. */
export async function keyIdentity(
  context: CliContext,
  path: string,
  options: KeyOptions & TokenOptions,
): Promise<IdentitySource> {
  if (options.identityToken !== undefined || options.device === true)
    throw new CliError('CLI_USAGE', '--key signs without a login: leave --identity-token and --device out')
  const identity = managedKey(await openKeyFile(context, path, options), nodeCrypto)
  return { current: () => Promise.resolve(identity) }
}
