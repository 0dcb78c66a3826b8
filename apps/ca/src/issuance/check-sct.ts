import { isCodedError } from '@touchmark/errors'
import { verifySct } from '@touchmark/x509'
import type { SctCheck } from '@touchmark/x509'
import { IssuanceError } from './errors.js'

/** A log on another machine may have a clock that differs by this much. */
const CLOCK_SKEW_MS = 1_000

export interface FreshSctCheck extends SctCheck {
  /** When the certificate's validity begins: the precertificate did not exist before. */
  readonly notBefore: Date
  readonly now: Date
}

/**
 * Step 8. Checks what the certificate log answered: one of our log, over exactly this TBS, made between the
 * certificate's notBefore and now, without extensions. Throws CA_SCT_INVALID.
 */
export function checkSct(check: FreshSctCheck): void {
  const { sct, notBefore, now } = check
  if (sct.timestampMs > now.getTime() + CLOCK_SKEW_MS) refuse("the SCT's time is in the future")
  if (sct.timestampMs < notBefore.getTime() - CLOCK_SKEW_MS) refuse("the SCT's time is before the precertificate")
  if (sct.version !== 0 || sct.extensions.length !== 0) refuse('the SCT has extensions or another version')
  try {
    verifySct(check)
  } catch (error) {
    if (!isCodedError(error)) throw error
    refuse(error.message, error)
  }
}

function refuse(message: string, cause?: unknown): never {
  throw new IssuanceError('CA_SCT_INVALID', message, { cause })
}
