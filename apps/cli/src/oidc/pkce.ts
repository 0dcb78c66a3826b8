import { createHash, randomBytes } from 'node:crypto'

/** Secrets of one login: nothing of them is ever used twice. */
export interface LoginSecrets {
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
  readonly codeChallenge: string
}

const random = (): string => randomBytes(32).toString('base64url')

/** Fresh state, nonce and PKCE pair (RFC 7636, S256). */
export function newLoginSecrets(): LoginSecrets {
  const codeVerifier = random()
  return {
    state: random(),
    nonce: random(),
    codeVerifier,
    codeChallenge: createHash('sha256').update(codeVerifier).digest('base64url'),
  }
}
