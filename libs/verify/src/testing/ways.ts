import type { VerifyErrorCode } from '../errors.js'

/** For codes of the verifier: what is wrong, and a verification with exactly that wrong. */
export type Ways = Partial<Record<VerifyErrorCode, Record<string, () => Promise<unknown>>>>
