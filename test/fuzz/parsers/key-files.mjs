import { isDeepStrictEqual } from 'node:util'
import { pemDecodeAll, pemEncode, utf8Decode, utf8Encode } from '@touchmark/encoding'
import { encodePublicKeyFile, encodeSealedKey, parsePublicKeyFile, parseSealedKey } from '@touchmark/keyfile'
import { holds } from '../parts/drive.mjs'
import { fromBytes, fromJson } from '../parts/generate.mjs'
import { file, filesIn } from '../parts/recorded.mjs'

const files = filesIn('clients/keys', '.key').map(file)
const sealed = files.filter((bytes) => /^-----BEGIN ENCRYPTED (SIGSTORE|COSIGN)/.test(utf8Decode(bytes)))
const LABEL = 'ENCRYPTED SIGSTORE PRIVATE KEY'
const contents = fromJson(sealed.map((bytes) => utf8Decode(pemDecodeAll(utf8Decode(bytes))[0].bytes)))

const rewritten = {
  read: parseSealedKey,
  check: (key) =>
    holds(
      isDeepStrictEqual(parseSealedKey(utf8Encode(encodeSealedKey(key))), key),
      'the key file reads otherwise when it is written again',
    ),
}

const text = { name: 'key file', weight: 2, ...fromBytes(files), ...rewritten }

/** What is in the PEM block, changed as JSON. */
const json = {
  name: 'key file, JSON',
  weight: 4,
  seeds: sealed,
  next: (random) => utf8Encode(pemEncode(LABEL, contents.next(random))),
  ...rewritten,
}

const publicKeys = [
  'cosign.pub',
  ...Object.values(JSON.parse(utf8Decode(file('clients/keys/keys.json')))).flatMap(
    ({ publicKeyPem }) => publicKeyPem ?? [],
  ),
].map((one) => (one === 'cosign.pub' ? file('clients/keys/cosign.pub') : utf8Encode(one)))

const publicKey = {
  name: 'public key file',
  weight: 2,
  ...fromBytes(publicKeys),
  read: parsePublicKeyFile,
  check: (key) =>
    holds(
      isDeepStrictEqual(parsePublicKeyFile(utf8Encode(encodePublicKeyFile(key))), key),
      'the public key reads otherwise when it is written again',
    ),
}

export const keyFileParsers = [text, json, publicKey]
