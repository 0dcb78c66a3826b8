import { isDeepStrictEqual } from 'node:util'
import { equalBytes, utf8Encode } from '@touchmark/encoding'
import {
  canonicalise,
  decodeV1Extra,
  encodeEntryBody,
  encodeV1Extra,
  extractSearchKeys,
  MAX_ENTRY_BYTES,
  MAX_SEARCH_KEYS,
  parseEntryBody,
  parseEntryRequest,
  SEARCH_KINDS,
  searchKey,
} from '@touchmark/entry'
import { createEntryRequest } from '../../../libs/entry/dist/proto.js'
import { certificates, oddCertificates } from '../parts/certificates.mjs'
import { cryptoFor, sha256 } from '../parts/crypto.mjs'
import { codedOrValue, holds } from '../parts/drive.mjs'
import { fromBytes, fromJson } from '../parts/generate.mjs'
import { textOfMessage } from '../parts/proto-text.mjs'
import { bodies, storedV1, storedV2 } from '../parts/recorded.mjs'

const text = (bytes) => Buffer.from(bytes).toString()

/** Keys of an entry are few, of a known kind, and in their one spelling. */
export function checkKeys({ keys }) {
  holds(keys.length <= MAX_SEARCH_KEYS, 'there are too many search keys')
  for (const { kind, value } of keys) {
    holds(SEARCH_KINDS.includes(kind), `${kind} is no kind of key`)
    holds(searchKey(kind, value, sha256).value === value, `the ${kind} ${value} has another spelling`)
  }
}

function checkBody(body) {
  holds(body.length <= MAX_ENTRY_BYTES, 'the body is longer than an entry may be')
  holds(equalBytes(encodeEntryBody(parseEntryBody(body)), body), 'the body reads as another')
  checkKeys(extractSearchKeys(body, sha256))
}

const REQUEST_MEMBER = { hashedrekord: 'hashedRekordRequestV002', dsse: 'dsseRequestV002' }

const request = {
  name: 'v2 request',
  weight: 8,
  ...fromJson(
    [
      ...bodies('rekor-v2/accepted.json'),
      ...bodies('rekor-v2/dsse.json'),
      ...bodies('rekor-v2/clients.json'),
      ...bodies('rekor-v2/refused.json'),
    ],
    certificates,
  ),
  read: parseEntryRequest,
  check: (value) => {
    const { kind, ...members } = value
    const again = textOfMessage(createEntryRequest, { [REQUEST_MEMBER[kind]]: members })
    holds(
      isDeepStrictEqual(parseEntryRequest(utf8Encode(again)), value),
      'the request reads otherwise when it is written again',
    )
  },
}

const canonical = {
  name: 'v2 entry',
  weight: 10,
  ...fromJson(
    ['accepted', 'dsse', 'clients'].flatMap((name) => bodies(`rekor-v2/${name}.json`, { accepted: true })),
    certificates,
  ),
  read: (input) => canonicalise(parseEntryRequest(input), cryptoFor(input)),
  check: ({ body, kind }) => {
    checkBody(body)
    holds(parseEntryBody(body).kind === kind, 'the body is of another kind')
  },
}

const stored = {
  name: 'stored body',
  weight: 8,
  ...fromJson(storedV2().map(text), certificates),
  read: parseEntryBody,
  check: (value, input) => holds(equalBytes(encodeEntryBody(value), input), 'the body encodes to other bytes'),
}

const oddBodies = oddCertificates.map((x509Certificate) => {
  const verifier = { keyDetails: 'PKIX_ECDSA_P256_SHA_256', x509Certificate }
  const data = { algorithm: 'SHA2_256', digest: new Uint8Array(32) }
  return encodeEntryBody({
    kind: 'hashedrekord',
    version: '0.0.2',
    data,
    signature: { content: data.digest, verifier },
  })
})

const keys = {
  name: 'search keys of a body',
  weight: 10,
  ...fromJson([...storedV2(), ...storedV1(), ...oddBodies].map(text), certificates),
  read: (input) => {
    const found = extractSearchKeys(input, sha256)
    return found.keys.length > 0 ? found : undefined
  },
  check: checkKeys,
}

const extras = [
  encodeV1Extra({ integratedTime: 1_764_000_000n }),
  encodeV1Extra({ integratedTime: 0n, attestation: utf8Encode('{"_type":"x"}') }),
  encodeV1Extra({ integratedTime: (1n << 64n) - 1n, attestation: new Uint8Array(300) }),
]

const extra = {
  name: 'what is beside an entry',
  weight: 2,
  ...fromBytes(extras),
  read: decodeV1Extra,
  check: (value, input) => {
    holds((value.attestation?.length ?? 0) <= input.length, 'there is more than was given')
    const again = codedOrValue(() => decodeV1Extra(encodeV1Extra(value)))
    holds(isDeepStrictEqual(again, value), 'it reads otherwise when it is written again')
  },
}

export const entryParsers = [request, canonical, stored, keys, extra]
