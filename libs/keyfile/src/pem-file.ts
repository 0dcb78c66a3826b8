import { pemDecodeAll, utf8Decode, type PemBlock } from '@touchmark/encoding'

/** More than any key file takes: RSA 4096, sealed, has less than 5 KB. */
export const MAX_KEY_FILE_BYTES = 64 << 10

/**
 * The only PEM block of a file; undefined when there is none, or more than one. Throws ENCODING_UTF8, ENCODING_PEM.
 * MUST be called with no more than {@link MAX_KEY_FILE_BYTES}.
 */
export function onlyBlock(bytes: Uint8Array): PemBlock | undefined {
  const [block, ...others] = pemDecodeAll(utf8Decode(bytes), 4)
  return others.length === 0 ? block : undefined
}
