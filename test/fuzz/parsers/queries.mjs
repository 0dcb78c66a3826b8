import { parseSearchKey, SEARCH_KINDS } from '@touchmark/entry'
import { isDeepStrictEqual } from 'node:util'
import { CtQuery } from '../../../apps/log/dist/http/ct/query.js'
import { parseSearchQuery } from '../../../apps/log/dist/http/search/search-query.js'
import { askedRange } from '../../../apps/log/dist/http/tiles/byte-range.js'
import { parseEntryId } from '../../../apps/log/dist/http/v1/entry-id.js'
import { V1Query } from '../../../apps/log/dist/http/v1/query.js'
import { decodeCursor, encodeCursor, MAX_CURSOR_CHARACTERS } from '../../../libs/ledger/dist/search/search-cursor.js'
import { sha256 } from '../parts/crypto.mjs'
import { codedOrValue, holds } from '../parts/drive.mjs'
import { fromText } from '../parts/generate.mjs'
import { json } from '../parts/recorded.mjs'
import { checkKeys } from './entries.mjs'

const text = (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
const hex = 'ab'.repeat(32)
const cursors = ['1.2_1.3', '1.0_1.9223372036854775807_2.5', `7.5${'_1.2'.repeat(100)}`]

const searches = [
  'identity=A%40b.c&limit=100',
  `identity=a+b&issuer=https%3A%2F%2Fx&digest=${hex}&publicKey=sha256:${hex}&serial=0a:1b&operator=or&limit=7&after=${cursors[0]}`,
  `digest=sha512:${hex}${hex}&operator=and`,
  `after=${cursors[2]}&serial=0`,
]

const search = {
  name: 'search query',
  weight: 4,
  ...fromText(searches),
  read: (input) => parseSearchQuery(`/api/touchmark/v1/search?${text(input)}`, sha256),
  check: ({ all, operator, limit, after }) => {
    checkKeys({ keys: all })
    holds(all.length > 0 && limit >= 1 && limit <= 100, 'the search is out of its limits')
    holds(operator === 'and' || operator === 'or', 'the operator is neither')
    holds(after === undefined || after.length <= MAX_CURSOR_CHARACTERS, 'the cursor is too long')
  },
}

const cursor = {
  name: 'search cursor',
  weight: 2,
  ...fromText(cursors),
  read: (input) => decodeCursor(text(input)),
  check: (value) =>
    holds(
      isDeepStrictEqual(decodeCursor(encodeCursor(value)), value),
      'the cursor reads otherwise when it is written again',
    ),
}

const key = {
  name: 'search key',
  weight: 3,
  ...fromText([hex, `sha256:${hex}`, 'sha1:00', '00:aB:Ff', 'İstanbul@ΑΣ', 'é'.repeat(600), 'a b']),
  read: (input) => {
    const found = SEARCH_KINDS.map((kind) => codedOrValue(() => parseSearchKey(kind, text(input), sha256)))
    const keys = found.filter((key) => key !== undefined)
    return keys.length === 0 ? undefined : keys
  },
  check: (found) => checkKeys({ keys: found }),
}

const v1 = {
  name: 'v1 query of a GET',
  weight: 2,
  ...fromText([
    'logIndex=0',
    'logIndex=+00012&treeID=123',
    'firstSize=1&lastSize=9223372036854775807&treeID=5&apiKey=x',
    ...json('rekor-v1/errors.json').map(({ request }) => request.path.split('?')[1] ?? ''),
  ]),
  read: (input) => {
    const query = new V1Query({ url: `/api/v1/log?${text(input)}` })
    const numbers = ['logIndex', 'firstSize', 'lastSize'].map((name) => query.number(name, 0n))
    return { numbers, treeId: query.treeId(), rest: query.withoutKey() }
  },
  check: ({ numbers, treeId, rest }) => {
    holds(
      numbers.every((number) => number === undefined || (number >= 0n && number < 1n << 63n)),
      'a number is out of range',
    )
    holds(treeId === undefined || /^[0-9]+$/.test(treeId), 'the id of the tree is none')
    holds(new V1Query({ url: rest }).withoutKey() === rest, 'the query is another when it is written again')
  },
}

const id = {
  name: 'v1 entry id',
  weight: 1,
  ...fromText([hex, `0000000000000001${hex}`, `ffffffffffffffff${hex}`.toUpperCase()]),
  read: (input) => parseEntryId(text(input)),
  check: ({ treeId, leafHash }, input) => {
    const digits = `${treeId === undefined ? '' : treeId.toString(16).padStart(16, '0')}${leafHash.toString('hex')}`
    holds(digits === text(input).toLowerCase(), 'the id is another when it is written again')
  },
}

const ct = {
  name: 'RFC 6962 query',
  weight: 1,
  ...fromText([`start=0&end=1023&hash=${'A'.repeat(43)}=`, 'start=9223372036854775807&end=00&hash=+/==']),
  read: (input) => {
    const query = new CtQuery({ url: `/ct/v1/get-entries?${text(input)}` })
    const found = [() => query.number('start'), () => query.number('end'), () => query.hash('hash')].map(codedOrValue)
    return found.every((value) => value === undefined) ? undefined : found
  },
  check: ([start, end, hash]) => {
    for (const number of [start, end])
      holds(number === undefined || (number >= 0n && number < 1n << 63n), 'a number is out of range')
    holds(hash === undefined || hash.length === 32, 'the hash is none')
  },
}

const RANGED = 8192
const range = {
  name: 'Range header',
  weight: 1,
  ...fromText(['bytes=0-99', 'bytes=100-', 'bytes=-50', 'bytes=8191-999999999999999', 'bytes=0-1,5-6']),
  read: (input) => {
    const found = askedRange(text(input), RANGED)
    return typeof found === 'string' ? undefined : found
  },
  check: ({ start, end }) => holds(start >= 0 && start < end && end <= RANGED, 'the range is not inside the file'),
}

export const queryParsers = [search, cursor, key, v1, id, ct, range]
