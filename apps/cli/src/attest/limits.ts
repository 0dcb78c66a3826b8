/** A statement in base64, with certificate, proofs and timestamp beside it, must stay below the 32 MiB that a bundle may have. */
export const STATEMENT_LIMIT_BYTES = 23 << 20
