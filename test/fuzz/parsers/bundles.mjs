import { isDeepStrictEqual } from 'node:util'
import { encodeBundle, parseBundle } from '@touchmark/bundle'
import { equalBytes, utf8Encode } from '@touchmark/encoding'
import {
  encodeClientTrustConfig,
  encodeSigningConfig,
  encodeTrustedRoot,
  parseClientTrustConfig,
  parseSigningConfig,
  parseTrustedRoot,
} from '@touchmark/trust'
import { parseEntryAnswer } from '../../../libs/sign/dist/log-client.js'
import { holds } from '../parts/drive.mjs'
import { fromJson } from '../parts/generate.mjs'
import { file, filesIn, json } from '../parts/recorded.mjs'

const text = (path) => Buffer.from(file(path)).toString()

/** A parser of a file that this client also writes. */
function written(name, weight, texts, read, write) {
  return {
    name,
    weight,
    ...fromJson(texts),
    read,
    check: (value) =>
      holds(isDeepStrictEqual(read(utf8Encode(write(value))), value), 'it reads otherwise when it is written again'),
  }
}

const bundleTexts = ['clients/bundles', 'own', 'rekor-v1/bundles']
  .flatMap((folder) => filesIn(folder, '.json'))
  .map(text)
  .filter((one) => one.includes('"verificationMaterial"'))
const rootTexts = [
  'clients/trusted_root.json',
  'clients/bundles/cosign3.first-entry.trusted_root.json',
  'own/trusted_root.json',
].map(text)
const configTexts = ['clients/signing_config.v0.2.json', 'clients/signing_config.rekor1.json'].map(text)
const trustTexts = configTexts.map(
  (config) =>
    `{"mediaType":"application/vnd.dev.sigstore.clienttrustconfig.v0.1+json","trustedRoot":${rootTexts[0]},"signingConfig":${config}}`,
)

const bundle = {
  name: 'bundle',
  weight: 8,
  ...fromJson(bundleTexts),
  read: (input) => parseBundle(input),
  check: (value) => {
    // Whatever it was read from, it is written as version 0.3, which takes no chain and no entry without a proof.
    if (value.version !== '0.3') return
    holds(
      isDeepStrictEqual(parseBundle(utf8Encode(encodeBundle(value))), value),
      'the bundle reads otherwise when it is written again',
    )
  },
}

const answers = ['accepted', 'dsse', 'clients']
  .flatMap((name) => json(`rekor-v2/${name}.json`))
  .flatMap((vector) => vector.calls ?? [vector])
  .map(({ response }) => response?.body ?? '')
  .filter((body) => body.includes('"canonicalizedBody"') && body.length < 16_384)

const entryAnswer = {
  name: 'entry in an answer of the log',
  weight: 4,
  ...fromJson(answers),
  read: parseEntryAnswer,
  check: ({ logIndex, inclusionProof, canonicalizedBody }) => {
    holds(logIndex >= 0n && logIndex === inclusionProof.logIndex, 'the entry has two indexes')
    holds(inclusionProof.treeSize > logIndex, 'the entry is outside its tree')
    holds(equalBytes(canonicalizedBody, Uint8Array.from(canonicalizedBody)), 'the body is no bytes')
  },
}

export const bundleParsers = [
  bundle,
  written('trusted root', 6, rootTexts, parseTrustedRoot, encodeTrustedRoot),
  written('signing config', 4, configTexts, parseSigningConfig, encodeSigningConfig),
  written('client trust config', 4, trustTexts, parseClientTrustConfig, encodeClientTrustConfig),
  entryAnswer,
]
