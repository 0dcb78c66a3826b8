/** One line of the audit log. Tokens and proofs are never in it. Texts that come from outside are cut; the logger writes them as JSON strings. */
export type AuditEvent =
  | {
      readonly event: 'certificate-issued'
      readonly api: 'v1' | 'v2'
      readonly issuer: string
      readonly subjectType: string
      readonly subject: string
      readonly keyType: string
      readonly serialHex: string
      readonly notAfter: string
    }
  | { readonly event: 'certificate-refused'; readonly api: 'v1' | 'v2'; readonly code: string; readonly reason: string }

export type Audit = (event: AuditEvent) => void

const MAX_TEXT = 500

/** Text of an event, cut. */
export function auditText(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}…`
}
