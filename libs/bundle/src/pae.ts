import { concatBytes, utf8Encode } from '@touchmark/encoding'

/**
 * Pre-authentication encoding of DSSE v1: `DSSEv1 <len(type)> <type> <len(payload)> <payload>`, lengths in decimal,
 * counted in bytes. This, not the payload, is what an envelope's signature is made over.
 */
export function pae(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = utf8Encode(payloadType)
  return concatBytes(utf8Encode(`DSSEv1 ${type.length} `), type, utf8Encode(` ${payload.length} `), payload)
}
