import { CodedError, type ErrorDetails } from '@touchmark/errors'

/** Each code with what a person can do about it. */
const VERIFY_HINTS = {
  /** Neither the certificate's CA nor any log of the bundle is in the trusted root: it was made at another instance. */
  VERIFY_OTHER_INSTANCE: 'Verify with the trusted root of the instance that made it, if you trust that one.',
  /** The artifact is not what the bundle says was signed. */
  VERIFY_ARTIFACT_CHANGED: 'This is another file than the one that was signed, or it was changed since. Get it again.',
  /** The digest given cannot be compared: another algorithm than the signature's, or a wrong length. */
  VERIFY_DIGEST_ALGORITHM: 'Give the file itself, or its digest of the algorithm named here.',
  /** The signature is not by the signer's key over this artifact. */
  VERIFY_SIGNATURE_INVALID:
    'The file or the bundle was changed after signing, or they do not belong together. Get both again.',
  /** The payload of the envelope is no in-toto statement, so nothing ties it to an artifact. */
  VERIFY_STATEMENT_INVALID: 'The envelope holds no attestation about a file. Ask who made it.',
  /** The statement is about other artifacts. */
  VERIFY_SUBJECT_MISMATCH: 'The attestation is about another file. Check which file it belongs to.',
  /** The bundle is signed with a key, and no key was given. */
  VERIFY_KEY_MISSING:
    'The bundle was signed with a key, not with a certificate. Verify with the public key of the signer.',
  /** A key was given, and the bundle is signed with a certificate. */
  VERIFY_KEY_UNEXPECTED:
    'The bundle was signed with a certificate, not with a key. Verify with the identity and the issuer of the signer.',
  /** A key of a kind or size that is not accepted for signatures. */
  VERIFY_KEY_UNSUPPORTED: 'Sign again with an ECDSA P-256 key.',
  VERIFY_TRUSTED_ROOT_MISSING: 'Give the trusted root of the instance whose log has the entry.',
  VERIFY_CERTIFICATE_INVALID: 'The certificate is damaged, or not one of a signing CA. Get the bundle again.',
  /** The bundle brings a self-signed certificate along: roots come from the trusted root alone. */
  VERIFY_CHAIN_HAS_ROOT: 'Sign again with a current client: a bundle must not bring its own root.',
  VERIFY_CHAIN_UNKNOWN_ISSUER:
    'No CA of the trusted root issued this certificate. Check that you use the trusted root of the right instance, and a fresh one.',
  /** A path was found, and something about it is wrong: a signature, a usage, a constraint. */
  VERIFY_CHAIN_INVALID: 'The certificate was not issued properly by a CA that you trust. Do not trust this signature.',
  /** A CA certificate of the path was not valid at the time of signing. */
  VERIFY_CHAIN_EXPIRED:
    'The CA was not valid when this was signed. Get a fresh trusted root; if it stays, do not trust this signature.',
  /** The trusted root does not trust the CA at the time of signing. */
  VERIFY_AUTHORITY_WINDOW:
    'The CA was not in use (or no longer trusted) when this was signed. Get a fresh trusted root.',
  /** The proven time of signing lies outside the certificate's validity. */
  VERIFY_CERTIFICATE_EXPIRED:
    'The signature was made when the certificate was not valid: after it expired, or before it was issued. Sign again.',
  VERIFY_SCT_MISSING:
    'The certificate was not logged for others to see. Sign again at an instance that logs its certificates.',
  VERIFY_SCT_INVALID: 'The proof of logging is for another certificate. Do not trust this signature.',
  VERIFY_SCT_LOG_UNKNOWN: 'The certificate log is not in the trusted root. Get a fresh trusted root.',
  VERIFY_SCT_WINDOW: 'The key of the certificate log was not in use at that time. Get a fresh trusted root.',
  VERIFY_SCT_THRESHOLD:
    'More certificate logs must vouch for the certificate. Ask for a lower threshold, or sign again.',
  VERIFY_ENTRY_MISSING: 'The signature was not logged. Sign again with a client that writes to the transparency log.',
  VERIFY_LOG_UNKNOWN:
    'The transparency log is not in the trusted root. Get a fresh trusted root of the right instance.',
  VERIFY_LOG_WINDOW: 'The key of the log was not in use at that time. Get a fresh trusted root.',
  VERIFY_LOG_KEY_UNUSABLE: 'The trusted root has a key for this log that cannot be used. Get a fresh trusted root.',
  VERIFY_LOG_THRESHOLD: 'More logs must hold the signature. Ask for a lower threshold, or sign again.',
  VERIFY_ENTRY_INVALID: 'The log entry is damaged, or the bundle was changed. Get the bundle again.',
  VERIFY_ENTRY_KIND:
    'This kind of log entry cannot hold such a signature, or is not known here. Sign again with a current client.',
  /** The log entry is of another signature: artifact, signature or signer differ. */
  VERIFY_ENTRY_MISMATCH:
    'The log entry belongs to another signature. Do not trust this bundle; get it again from where it was published.',
  /** The log's time of the entry lies outside the certificate's validity. */
  VERIFY_ENTRY_TIME: 'The entry was logged when the certificate was not valid. Sign again.',
  VERIFY_PROMISE_INVALID: "The log's promise was changed or is not by this log. Do not trust this bundle.",
  VERIFY_PROOF_MISSING: 'The bundle lacks proof that the entry is in the log. Sign again with a current client.',
  VERIFY_CHECKPOINT_INVALID: 'The checkpoint is damaged. Get the bundle again.',
  /** The checkpoint is signed by another key, or names another log. */
  VERIFY_CHECKPOINT_SIGNATURE: 'The checkpoint is not by the log that you trust. Do not trust this bundle.',
  /** Root hash or tree size of the proof are not those of the signed checkpoint. */
  VERIFY_CHECKPOINT_MISMATCH: 'The proof does not belong to the checkpoint. Get the bundle again.',
  VERIFY_INCLUSION_PROOF: 'The entry is not proven to be in the log. Do not trust this bundle.',
  /** Nobody who is trusted says when the signature was made. */
  VERIFY_TIME_MISSING:
    'Sign again with a client that gets a timestamp (the signing config of your instance names the authority).',
  VERIFY_TIME_THRESHOLD: 'More authorities must vouch for the time. Ask for a lower threshold, or sign again.',
  /** The timestamp is over other bytes than this signature. */
  VERIFY_TIMESTAMP_OTHER_BYTES:
    'The timestamp belongs to another signature. Get the bundle again from where it was published.',
  VERIFY_TIMESTAMP_WINDOW: 'The timestamp authority was not valid at that time. Get a fresh trusted root.',
  VERIFY_TIMESTAMP_INVALID:
    'The timestamp is damaged, or not properly by the authority that you trust. Get the bundle again.',
} as const

export type VerifyErrorCode = keyof typeof VERIFY_HINTS

const POLICY_HINTS = {
  /** Nothing in the policy says who may have signed. */
  POLICY_EMPTY: 'Name the identity that must have signed and the issuer that vouches for it.',
  POLICY_INVALID: 'Correct the policy.',
  POLICY_IDENTITY_MISMATCH: 'Somebody else signed this. If that is whom you expect, name that identity.',
  POLICY_ISSUER_MISMATCH:
    'Another identity provider vouched for the signer. If that is the one you expect, name that issuer.',
  POLICY_EXTENSION_MISMATCH:
    'The signature was made in another context (repository, workflow, …) than the policy wants.',
  POLICY_PREDICATE_TYPE_MISMATCH:
    'The attestation says something else than what the policy asks for. Look for another attestation of this file.',
  POLICY_CONTENT_MISMATCH: 'The bundle is of the other kind: a signature of a file, or an attestation about it.',
} as const

export type PolicyErrorCode = keyof typeof POLICY_HINTS

/** What every refusal says: which check, what it wanted, what it found. */
export interface Refusal extends Pick<ErrorDetails, 'cause'> {
  readonly check: string
  readonly expected: string
  readonly found: string
}

/** The proof is bad. `details` name check, expected, found and hint. */
export class VerifyError extends CodedError<VerifyErrorCode> {
  constructor(code: VerifyErrorCode, message: string, refusal: Refusal) {
    super(code, message, { ...refusal, hint: VERIFY_HINTS[code] })
  }
}

/** The proof is good and the policy says no, or the policy itself is none. */
export class PolicyError extends CodedError<PolicyErrorCode> {
  constructor(code: PolicyErrorCode, message: string, refusal: Refusal) {
    super(code, message, { ...refusal, hint: POLICY_HINTS[code] })
  }
}

export const VERIFY_ERROR_CODES = Object.keys(VERIFY_HINTS) as VerifyErrorCode[]
export const POLICY_ERROR_CODES = Object.keys(POLICY_HINTS) as PolicyErrorCode[]
