import { isCodedError } from '@touchmark/errors'
import { isTokenRefusal } from '../identity/token-verifier.js'
import { GRPC } from './answers.js'

/** What a client is told. */
export interface Problem {
  readonly status: number
  readonly code: number
  readonly message: string
}

const client = (message: string): Problem => ({ status: 400, code: GRPC.invalidArgument, message })
const server = (message: string): Problem => ({ status: 500, code: GRPC.internal, message })

/** Code -> status and fixed text (ca.md §4). */
const FIXED: Readonly<Record<string, Problem>> = {
  CA_CSR_UNPARSABLE: client('The certificate signing request could not be parsed'),
  CA_KEY_UNPARSABLE: client('The public key supplied in the request could not be parsed'),
  CA_KEY_INSECURE: client('The public key supplied in the request is insecure'),
  CA_PROOF_INVALID: client('The signature supplied in the request could not be verified'),
  CA_REQUEST_REPLAYED: client(
    'This token was used for this key before: make a new key (the same token may be used for many keys)',
  ),
  CA_KEY_OF_ANOTHER: client('The public key of the certificate signing request was certified for another identity'),
  CA_RECORD_UNAVAILABLE: {
    status: 503,
    code: GRPC.unavailable,
    message: 'the record of issued certificates cannot be reached; nothing was issued',
  },
  CA_CT_LOG_REFUSED: server('Error entering certificate in CTL'),
  CA_CT_LOG_FAILED: server('Error entering certificate in CTL'),
  CA_SCT_INVALID: server('Error entering certificate in CTL'),
  SERVICE_BODY_TOO_LARGE: client('http: request body too large'),
  SERVICE_BODY_ABORTED: client('unexpected EOF'),
  SERVICE_BODY_TIMEOUT: {
    status: 408,
    code: GRPC.deadlineExceeded,
    message: 'the request body did not arrive in time',
  },
  SERVICE_BODY_BUSY: {
    status: 503,
    code: GRPC.unavailable,
    message: 'too many large requests are on their way; retry',
  },
}

/** Codes whose own text the contract lets the client see. */
const OWN_TEXT = new Set([
  'ENCODING_JSON',
  'CA_ALGORITHM_REFUSED',
  'IDENTITY_SUBJECT_INVALID',
  'CA_SAN_NOT_IA5',
  'CA_SAN_INVALID',
  'CA_CERTIFICATE_TOO_LARGE',
  'CA_ISSUER_EMPTY',
])

/** Anything that is not in the table is ours to answer for, without detail. */
export function problemOf(error: unknown): Problem {
  if (isTokenRefusal(error)) return client('There was an error processing the identity token')
  if (!isCodedError(error)) return server('error communicating with CA backend')
  if (OWN_TEXT.has(error.code)) return client(error.message)
  return FIXED[error.code] ?? server('error communicating with CA backend')
}
