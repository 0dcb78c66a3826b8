import {
  context,
  derElement,
  derExplicit,
  derInteger,
  derOctetString,
  derOid,
  derSequence,
  derUtf8String,
  TAG,
} from '@touchmark/encoding'
import { encodeAlgorithm, OID } from '../algorithms.js'
import type { TimestampResponse } from '../response.js'
import type { SignerInfo, TimestampToken } from '../signed-data.js'

/** Writes what was read: shows that a parser lost nothing. */
export function reencodeResponse(response: TimestampResponse): Uint8Array {
  const { status, statusText, failInfo, token } = response
  const info = [derInteger(status)]
  if (statusText.length > 0) info.push(derSequence(...statusText.map(derUtf8String)))
  if (failInfo !== undefined) info.push(derElement(TAG.bitString, failInfo))
  return derSequence(derSequence(...info), ...(token === undefined ? [] : [reencodeToken(token)]))
}

function reencodeToken(token: TimestampToken): Uint8Array {
  const signedData = derSequence(
    derInteger(token.version),
    derElement(TAG.set, ...token.digestAlgorithms.map(encodeAlgorithm)),
    derSequence(derOid(OID.tstInfo), derExplicit(0, derOctetString(token.tstInfoBytes))),
    ...(token.certificates === undefined ? [] : [derElement(context(0), ...token.certificates)]),
    ...(token.crls === undefined ? [] : [derElement(context(1), token.crls)]),
    derElement(TAG.set, ...token.signerInfos.map(reencodeSigner)),
  )
  return derSequence(derOid(OID.signedData), derExplicit(0, signedData))
}

function reencodeSigner(signer: SignerInfo): Uint8Array {
  const attributes = signer.signedAttributes.map(({ type, values }) =>
    derSequence(derOid(type), derElement(TAG.set, ...values)),
  )
  return derSequence(
    derInteger(signer.version),
    derSequence(signer.issuer, derElement(TAG.integer, signer.serialNumber)),
    encodeAlgorithm(signer.digestAlgorithm),
    derElement(context(0), ...attributes),
    encodeAlgorithm(signer.signatureAlgorithm),
    derOctetString(signer.signature),
    ...(signer.unsignedAttributes === undefined ? [] : [derElement(context(1), signer.unsignedAttributes)]),
  )
}

/** Changes, cuts or repeats bytes somewhere: what is nearly right finds more than noise does. */
export function mutate(bytes: Uint8Array, at: number, value: number, kind: number): Uint8Array {
  const place = at % bytes.length
  if (kind === 0) return bytes.slice(0, place)
  if (kind === 1) return Uint8Array.from([...bytes.slice(0, place), ...bytes.slice(place + 1)])
  const copy = bytes.slice()
  if (kind === 2) copy[place] = value
  else copy[place]! ^= 1 << (value % 8)
  return copy
}
