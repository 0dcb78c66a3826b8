/** Why a request got no answer, in words, and what a person can do about it. */
export interface LostReason {
  readonly found: string
  readonly hint: string
  /** False when another try a second later ends the same way. */
  readonly passes: boolean
}

/** Codes of OpenSSL and Node.js for a certificate that is not believed. */
const CERTIFICATE =
  /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH_)/

const HINTS: readonly (readonly [RegExp, string, boolean])[] = [
  [
    CERTIFICATE,
    'This machine does not believe the TLS certificate of that address. Check the address; if your organisation has a CA of its own for web servers, name its certificate in NODE_EXTRA_CA_CERTS. Do not go on without that check.',
    false,
  ],
  [
    /^ERR_SSL_|^EPROTO$/,
    'That address does not speak TLS as this client does. Check whether it is http or https.',
    false,
  ],
  [
    /^ERR_(INVALID_|UNESCAPED_CHARACTERS$)/,
    'Nothing was sent: the address, or something that goes with the request, is not what a request may hold. Check the address, and what was given with it.',
    false,
  ],
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'The host name is not known here. Check the address and the network.', true],
  [
    /^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH)$/,
    'Check that the service runs, that its address is right, and the network.',
    true,
  ],
]

const OTHERWISE = 'Try again; if it goes on, look at /readyz of the instance, and at proxies between here and there.'

/** Reads what `fetch` threw, and the `cause` inside it. `timeoutMs` is what the try was given. */
export function lostReason(cause: unknown, timeoutMs: number): LostReason {
  const errors = chain(cause)
  if (errors.some(({ name }) => name === 'TimeoutError'))
    return { found: `no whole answer within ${seconds(timeoutMs)} s`, hint: OTHERWISE, passes: true }
  const inner = errors.at(-1)
  const code = errors.map((error) => error.code).findLast((one) => typeof one === 'string')
  const row = HINTS.find(([pattern]) => pattern.test(code ?? ''))
  return {
    found: inner === undefined ? String(cause) : inner.message || code || inner.name,
    hint: row?.[1] ?? OTHERWISE,
    passes: row?.[2] ?? true,
  }
}

const seconds = (ms: number): number => (ms < 100 ? ms / 1000 : Math.round(ms / 100) / 10)

/** What is read of an error; by its members, since errors of `fetch` may come from another realm. */
interface ErrorParts {
  readonly name: string
  readonly message: string
  readonly code?: unknown
  readonly cause?: unknown
  readonly errors?: unknown
}

/** An error, its cause, the cause of that, at most five; of several tried addresses, the first one's. */
function chain(cause: unknown): ErrorParts[] {
  const errors: ErrorParts[] = []
  let next = cause
  while (isError(next) && errors.length < 5) {
    errors.push(next)
    next = Array.isArray(next.errors) ? next.errors[0] : next.cause
  }
  return errors
}

function isError(value: unknown): value is ErrorParts {
  return value !== null && typeof value === 'object' && 'message' in value && 'name' in value
}
