import { equalBytes, utf8Decode } from '@touchmark/encoding'
import {
  canonicaliseV1,
  extractSearchKeys,
  MAX_ENTRY_BYTES,
  parseV1IndexQuery,
  parseV1Request,
  parseV1RetrieveQuery,
} from '@touchmark/entry'
import { parsePemKey } from '../../../libs/entry/dist/v1/pem-key.js'
import { certificates } from '../parts/certificates.mjs'
import { cryptoFor, sha256 } from '../parts/crypto.mjs'
import { codedOrValue, holds } from '../parts/drive.mjs'
import { fromBytes, fromJson } from '../parts/generate.mjs'
import { mutateText } from '../parts/mutate-json.mjs'
import { bodies, json } from '../parts/recorded.mjs'
import { checkKeys } from './entries.mjs'

/** As a submission where it can be one, else as a query. */
function read(input) {
  const proposed = parseV1Request(input)
  const crypto = cryptoFor(input)
  const submitted = codedOrValue(() => canonicaliseV1(proposed, 'submit', crypto))
  return { proposed, crypto, submitted, entry: submitted ?? canonicaliseV1(proposed, 'query', crypto) }
}

function check({ proposed, crypto, submitted, entry }) {
  const { body, kind, version } = entry
  holds(body.length <= MAX_ENTRY_BYTES, 'the body is longer than an entry may be')
  holds(kind === proposed.kind && version === proposed.version, 'the entry is of another kind')
  if (submitted !== undefined) {
    const asked = codedOrValue(() => canonicaliseV1(proposed, 'query', crypto))
    holds(asked !== undefined && equalBytes(asked.body, body), 'a query for the entry finds another')
  }
  const said = JSON.parse(utf8Decode(body))
  holds(Object.keys(said).join() === 'apiVersion,kind,spec', 'the body has other members')
  holds(said.kind === kind && said.apiVersion === version, 'the body is of another kind')
  // The canonical form of all others says all, and is its own canonical form.
  if (kind !== 'rekord') {
    const again = codedOrValue(() => canonicaliseV1({ kind, version, spec: said.spec }, 'query', crypto))
    holds(again !== undefined && equalBytes(again.body, body), 'the body is not its own canonical form')
  }
  checkKeys(extractSearchKeys(body, sha256))
}

const kinds = ['hashedrekord', 'dsse', 'intoto', 'rekord', 'rfc3161'].map((kind) => {
  const file = `rekor-v1/${kind}.json`
  // The accepted ones twice: a change to what is refused seldom makes it right.
  return {
    name: `v1 ${kind}`,
    weight: 8,
    ...fromJson([...bodies(file), ...bodies(file, { accepted: true })], certificates),
    read,
    check,
  }
})

const retrieve = {
  name: 'v1 retrieve query',
  weight: 5,
  ...fromJson(bodies('rekor-v1/retrieve.json'), certificates),
  read: parseV1RetrieveQuery,
  check: ({ entryIds, indexes, entries }) => {
    holds(entryIds.length + indexes.length + entries.length <= 10, 'more is asked for than may be')
    holds(
      indexes.every((index) => index >= 0n && index < 1n << 63n),
      'an index is out of range',
    )
    holds(
      entryIds.every((id) => /^(?:[0-9a-f]{64}|[0-9a-f]{80})$/i.test(id)),
      'an id is none',
    )
  },
}

const index = {
  name: 'v1 index query',
  weight: 4,
  ...fromJson(bodies('rekor-v1/index.json'), certificates),
  read: (input) => parseV1IndexQuery(input, cryptoFor(input)),
  check: ({ operator, keys }) => {
    holds(operator === 'and' || operator === 'or', 'the operator is neither')
    holds(keys.length <= 4, 'there are more keys than members')
    checkKeys({ keys })
  },
}

const sent = (bytes) => ({ bytes, text: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64') })
const pems = json('rekor-v1/hashedrekord.json')
  .filter(({ response }) => response.status === 201)
  .flatMap(({ request }) => JSON.parse(request.body).spec?.signature?.publicKey?.content ?? [])
  .map((content) => new Uint8Array(Buffer.from(content, 'base64')))

const pemKey = {
  name: 'PEM of a key',
  weight: 6,
  ...fromBytes(pems, (seed, random) => Buffer.from(mutateText(Buffer.from(seed).toString(), random, certificates))),
  read: (input) => parsePemKey(sent(input)),
  check: ({ canonical }) => {
    const bytes = new Uint8Array(Buffer.from(canonical, 'base64'))
    holds(parsePemKey(sent(bytes)).canonical === canonical, 'the canonical form of a key has another')
  },
}

export const v1Parsers = [...kinds, retrieve, index, pemKey]
