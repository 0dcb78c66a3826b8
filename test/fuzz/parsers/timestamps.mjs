import { isDeepStrictEqual } from 'node:util'
import {
  derElement,
  derInteger,
  derOctetString,
  derOid,
  DerReader,
  derSequence,
  equalBytes,
  TAG,
  utf8Encode,
} from '@touchmark/encoding'
import {
  encodeTimestampRequest,
  encodeTstInfo,
  parseTimestampRequest,
  parseTimestampRequestJson,
  parseTimestampResponse,
  parseTstInfo,
  verifyEmbeddedSigners,
} from '@touchmark/timestamp'
import { cryptoFor } from '../parts/crypto.mjs'
import { codedOrValue, holds } from '../parts/drive.mjs'
import { fromDer, fromJson } from '../parts/generate.mjs'
import { file, filesIn } from '../parts/recorded.mjs'

const responses = filesIn('tsa', '.tsr').map(file)
const refused = (...texts) =>
  derSequence(
    derSequence(
      derInteger(2n),
      derSequence(...texts.map((text) => derElement(TAG.utf8String, utf8Encode(text)))),
      derElement(TAG.bitString, Uint8Array.of(5, 0x20)),
    ),
  )

function checkInfo(info, der) {
  holds(equalBytes(encodeTstInfo(info), der), 'the TSTInfo encodes to other bytes')
}

const response = {
  name: 'timestamp response',
  weight: 10,
  ...fromDer([...responses, refused('no'), refused('é', '', 'x')]),
  read: parseTimestampResponse,
  check: ({ token }, input) => {
    if (token === undefined) return
    for (const der of token.certificates ?? []) new DerReader(der).sequence()
    const info = codedOrValue(() => parseTstInfo(token.tstInfoBytes))
    if (info !== undefined) checkInfo(info, token.tstInfoBytes)
    codedOrValue(() => verifyEmbeddedSigners(token, cryptoFor(input)))
  },
}

const infos = responses
  .map((der) => parseTimestampResponse(der).token?.tstInfoBytes)
  .filter((der) => der !== undefined)
  .map((der) => der.slice())
const [info] = infos.map(parseTstInfo)
infos.push(
  encodeTstInfo({
    ...info,
    accuracy: { seconds: 1n, millis: 5, micros: 999 },
    ordering: true,
    nonce: Uint8Array.of(0x80),
    tsa: derElement(0x86, utf8Encode('https://tsa.example.com')),
    extensions: [derSequence(derOid('1.2.3'), derOctetString(Uint8Array.of(1)))],
    genTimeText: '20261122120000.123456789Z',
  }),
  encodeTstInfo({ ...info, accuracy: { micros: 256 } }),
)

const tstInfo = { name: 'TSTInfo', weight: 4, ...fromDer(infos), read: parseTstInfo, check: checkInfo }

/** Its bytes as a number; longer ones are left out, they take square time here. */
function nonceOf(content) {
  return content.length > 64 ? undefined : new DerReader(derElement(TAG.integer, content)).integer()
}

function checkRequest(value) {
  const { nonce: content, ...members } = value
  const nonce = content === undefined ? undefined : nonceOf(content)
  if (content !== undefined && nonce === undefined) return
  const query = encodeTimestampRequest({ ...members, ...(nonce === undefined ? {} : { nonce }) })
  const plain = (request) => ({
    ...request,
    nonce: request.nonce === undefined ? undefined : Buffer.from(request.nonce).toString('hex'),
  })
  const again = codedOrValue(() => parseTimestampRequest(query))
  holds(
    again !== undefined && isDeepStrictEqual(plain(again), plain(value)),
    'the request reads otherwise when it is written again',
  )
}

const request = {
  name: 'timestamp request',
  weight: 4,
  ...fromDer(filesIn('tsa', '.tsq').map(file)),
  read: parseTimestampRequest,
  check: checkRequest,
}

const jsonRequest = {
  name: 'timestamp request, JSON',
  weight: 3,
  ...fromJson(
    filesIn('tsa', '.json')
      .filter((path) => /\/\d/.test(path))
      .map((path) => Buffer.from(file(path)).toString()),
  ),
  read: parseTimestampRequestJson,
  check: (value) => {
    // JSON takes policies that DER cannot say.
    if (value.policy === undefined || codedOrValue(() => encodeTimestampRequest({ ...value, nonce: undefined })))
      checkRequest(value)
  },
}

export const timestampParsers = [response, tstInfo, request, jsonRequest]
