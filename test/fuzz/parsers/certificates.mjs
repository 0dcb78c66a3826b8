import { parsePublicKeyDer } from '@touchmark/crypto'
import { nodeCrypto } from '@touchmark/crypto/node'
import { DerReader, equalBytes, pemDecodeAll, pemEncode } from '@touchmark/encoding'
import {
  assembleCertificate,
  embeddedScts,
  encodeCertificateChain,
  encodePrecertChainEntry,
  encodeSctList,
  encodeTimestampedEntry,
  fulcioExtensions,
  nameToString,
  parseCertificate,
  parseCertificateChain,
  parseMerkleTreeLeaf,
  parsePrecertChainEntry,
  parseSctList,
  parseTbsCertificate,
  precertTbs,
} from '@touchmark/x509'
import { certificateNames } from '../../../libs/entry/dist/search-keys/certificate-names.js'
import { certificates } from '../parts/certificates.mjs'
import { codedOrValue, holds } from '../parts/drive.mjs'
import { fromBytes, fromDer } from '../parts/generate.mjs'
import { mutateText } from '../parts/mutate-json.mjs'
import { file, filesIn, pemBlocks } from '../parts/recorded.mjs'

const parsed = certificates.map(parseCertificate)

const certificate = {
  name: 'certificate',
  weight: 10,
  ...fromDer(certificates),
  read: parseCertificate,
  check: (value, input) => {
    const again = assembleCertificate(value.tbs, value.signatureAlgorithm.der, value.signature)
    holds(equalBytes(again, input), 'the certificate encodes to other bytes')
    const key = codedOrValue(() => value.publicKey)
    holds(key === undefined || equalBytes(key.spki, value.spki), 'its key is another')
    holds(value.serialHex.length === 2 * value.serialNumber.length, 'its serial number is another')
    for (const look of [() => fulcioExtensions(value), () => embeddedScts(value), () => precertTbs(value)])
      codedOrValue(look)
    for (const name of certificateNames(value)) holds(typeof name === 'string', 'a name is no text')
    for (const name of [value.issuer, value.subject]) codedOrValue(() => nameToString(name))
    holds(parseTbsCertificate(value.tbs).serialHex === value.serialHex, 'what is signed reads as another')
  },
}

const SCHEMES = ['SHA2_256', 'SHA2_384', 'SHA2_512'].flatMap((hash) => [
  { kind: 'ecdsa', hash },
  { kind: 'rsa-pkcs1', hash },
])
const keys = [
  ...pemBlocks('fulcio/certificates', 'PUBLIC KEY'),
  ...pemBlocks('clients/keys', 'PUBLIC KEY'),
  ...parsed.map(({ spki }) => spki),
]

const publicKey = {
  name: 'public key',
  weight: 8,
  ...fromDer(keys),
  read: parsePublicKeyDer,
  check: (value, input) => {
    holds(equalBytes(value.spki, input), 'the key has other bytes')
    // A key that is taken can be used: whatever the signature is, it is right or wrong.
    if (input[0] !== 0x30 || input.length % 16 !== input.at(-1) % 16) return
    const schemes = value.type.kind === 'ed25519' ? [{ kind: 'ed25519' }, { kind: 'ed25519ph' }] : SCHEMES
    const scheme = schemes[input.at(-1) % schemes.length]
    for (const signature of [new Uint8Array(0), input.subarray(0, 64), parsed[0].signature]) {
      holds(nodeCrypto.verify(value, scheme, input, signature) === false, 'a signature is right that nobody made')
    }
  },
}

const pems = [...filesIn('x509', '.pem'), ...filesIn('fulcio/certificates', '.pem')].map(file)

const pem = {
  name: 'PEM',
  weight: 3,
  ...fromBytes(pems, (seed, random) => Buffer.from(mutateText(Buffer.from(seed).toString(), random, certificates))),
  read: (input) => {
    const blocks = pemDecodeAll(Buffer.from(input).toString())
    return blocks.length === 0 ? undefined : blocks
  },
  check: (blocks) => {
    const again = pemDecodeAll(blocks.map(({ label, bytes }) => pemEncode(label, bytes)).join(''))
    const same = again.every(({ label, bytes }, i) => label === blocks[i].label && equalBytes(bytes, blocks[i].bytes))
    holds(again.length === blocks.length && same, 'the blocks read otherwise when they are written again')
  },
}

const timestampMs = 1_764_000_000_000
const none = new Uint8Array(0)
const leaves = parsed.slice(0, 12).flatMap(({ der, tbs }) => [
  encodeTimestampedEntry({ timestampMs, entry: { type: 'x509', certificate: der }, extensions: none }),
  encodeTimestampedEntry({
    timestampMs,
    entry: { type: 'precert', issuerKeyHash: new Uint8Array(32).fill(7), tbs },
    extensions: Uint8Array.of(1, 2),
  }),
])

const leaf = {
  name: 'certificate log leaf',
  weight: 3,
  ...fromBytes(leaves),
  read: parseMerkleTreeLeaf,
  check: (value, input) => holds(equalBytes(encodeTimestampedEntry(value), input), 'the leaf encodes to other bytes'),
}

const chains = [1, 2, 3].map((length) => encodePrecertChainEntry(certificates[0], certificates.slice(1, length)))
const bareChains = [0, 1, 3].map((length) => encodeCertificateChain(certificates.slice(0, length)))

const chain = {
  name: 'certificate log chain',
  weight: 3,
  ...fromBytes([...chains, ...bareChains]),
  read: (input) => {
    const precert = codedOrValue(() => parsePrecertChainEntry(input))
    return precert ?? { chain: parseCertificateChain(input) }
  },
  check: ({ precertificate, chain: list }, input) => {
    const again = precertificate ? encodePrecertChainEntry(precertificate, list) : encodeCertificateChain(list)
    holds(equalBytes(again, input), 'the chain encodes to other bytes')
  },
}

const lists = parsed.flatMap((value) => codedOrValue(() => [encodeSctList(embeddedScts(value))]) ?? [])

const scts = {
  name: 'SCT list',
  weight: 2,
  ...fromBytes(lists),
  read: parseSctList,
  check: (value, input) => holds(equalBytes(encodeSctList(value), input), 'the list encodes to other bytes'),
}

/** Every element of DER, all the way down. */
function walk(reader, depth) {
  while (!reader.done) {
    const { tag, content, bytes } = reader.any()
    holds(content.length < bytes.length, 'an element is no longer than its content')
    if ((tag & 0x20) !== 0) codedOrValue(() => walk(new DerReader(content, depth + 1), depth + 1))
  }
}

const der = {
  name: 'DER',
  weight: 3,
  ...fromDer([...certificates, ...keys]),
  read: (input) => {
    const reader = new DerReader(input)
    reader.any()
    reader.end()
    return input
  },
  check: (input) => walk(new DerReader(input), 0),
}

export const certificateParsers = [certificate, publicKey, pem, leaf, chain, scts, der]
