import { X509Error } from './errors.js'

/** Gives random octets; MUST be a cryptographic source. */
export type RandomBytes = (length: number) => Uint8Array

const SERIAL_OCTETS = 20

/**
 * A serial number of 159 random bits (ca.md §9), as the content octets of a positive DER INTEGER: at most 20, no zero octet
 * in front that DER would not have.
 */
export function randomSerial(random: RandomBytes): Uint8Array {
  const octets = Uint8Array.from(random(SERIAL_OCTETS))
  if (octets.length !== SERIAL_OCTETS) throw new X509Error('X509_PROFILE_INVALID', 'the random source gave too little')
  octets[0]! &= 0x7f
  let start = 0
  while (start < SERIAL_OCTETS - 1 && octets[start] === 0 && octets[start + 1]! < 0x80) start++
  // 8 octets or fewer once in 2^95 draws; a source that does so is broken, and its next numbers would repeat.
  if (SERIAL_OCTETS - start <= 8) throw new X509Error('X509_PROFILE_INVALID', 'the random source gives zeros')
  return octets.subarray(start)
}
