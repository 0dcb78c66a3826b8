import { parsePublicKeyDer } from '@touchmark/crypto'
import { concatBytes, equalBytes, utf8Encode } from '@touchmark/encoding'
import {
  decodeEntryBundle,
  encodeEntryBundle,
  formatCheckpoint,
  formatSignedNote,
  parseCheckpoint,
  parseSignedNote,
  parseTilePath,
  tilePath,
  verifyCheckpoint,
} from '@touchmark/tlog'
import { formatGivenUp, parseGivenUp } from '../../../libs/ledger/dist/guard/given-up.js'
import { decodeRecord, encodeSlot, RECORD_BYTES, SLOT_BYTES } from '../../../libs/ledger/dist/guard/record.js'
import { cryptoFor, sha256 } from '../parts/crypto.mjs'
import { codedOrValue, holds } from '../parts/drive.mjs'
import { fromBytes, fromJson, fromText } from '../parts/generate.mjs'
import { mutateBytes } from '../parts/mutate-bytes.mjs'
import { file, json, storedV1, storedV2 } from '../parts/recorded.mjs'

const text = (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
const notes = json('rekor-v2/checkpoints.json').map(({ envelope }) => envelope)
const authorities = json('rekor-v2/logs.json').map(({ publicKey, logId }) => ({
  key: parsePublicKeyDer(new Uint8Array(Buffer.from(publicKey.split('\n').slice(1, -2).join(''), 'base64'))),
  logId: new Uint8Array(Buffer.from(logId, 'base64')),
}))

const note = {
  name: 'signed note',
  weight: 4,
  ...fromText(notes),
  read: (input) => parseSignedNote(text(input)),
  check: (value, input) => {
    holds(formatSignedNote(value) === text(input), 'the note is another when it is written again')
    const authority = authorities[input.length % authorities.length]
    codedOrValue(() => verifyCheckpoint(text(input), authority, cryptoFor(input)))
  },
}

const checkpoint = {
  name: 'checkpoint',
  weight: 4,
  ...fromText(notes.map((whole) => parseSignedNote(whole).text)),
  read: (input) => parseCheckpoint(text(input)),
  check: (value, input) =>
    holds(formatCheckpoint(value) === text(input), 'the checkpoint is another when it is written again'),
}

const stored = [...storedV2(), ...storedV1()].filter((body) => body.length < 1500)
const bundles = [
  new Uint8Array(0),
  encodeEntryBundle(stored.slice(0, 1)),
  encodeEntryBundle(stored.slice(0, 6)),
  encodeEntryBundle(Array.from({ length: 256 }, (_, i) => new Uint8Array(i % 5))),
  encodeEntryBundle([new Uint8Array(65_535)]),
  file('rekor-v2/log/tile/entries/001.p/1'),
]

const bundle = {
  name: 'entry bundle',
  weight: 4,
  ...fromBytes(bundles),
  read: decodeEntryBundle,
  check: (value, input) => holds(equalBytes(encodeEntryBundle(value), input), 'the bundle encodes to other bytes'),
}

const paths = [
  'tile/0/000',
  'tile/entries/001.p/44',
  'tile/63/x001/x234/067',
  'tile/2/x036/x028/x797/x018/x963/967.p/255',
]

const path = {
  name: 'tile path',
  weight: 3,
  ...fromText(paths),
  read: (input) => parseTilePath(text(input)),
  check: ({ level, index, width }, input) =>
    holds(tilePath(level, index, width) === text(input), 'the path is a second name of its tile'),
}

function record(...heads) {
  const bytes = new Uint8Array(RECORD_BYTES)
  heads.forEach((head, i) => bytes.set(encodeSlot(head), i * SLOT_BYTES))
  return bytes
}
const records = [
  record({ size: 5n, note: notes[0] }),
  record({ size: 5n, note: notes[0] }, { size: 6n, note: notes[1] }),
  record({ size: (1n << 63n) - 1n, note: 'é'.repeat(2000) }, { size: 0n, note: 'x' }),
]

/** A slot that was changed and whose checksum is right again. */
function resealed(seed, random) {
  const out = seed.slice()
  const at = random.oneIn(2) ? 0 : SLOT_BYTES
  const view = new DataView(out.buffer)
  if (random.oneIn(2))
    view.setUint32(at + 16, random.of([0, 1, SLOT_BYTES - 52, SLOT_BYTES - 51, 0xffffffff, random.below(4200)]))
  if (random.oneIn(3)) view.setBigUint64(at + 8, random.of([0n, 1n << 63n, (1n << 64n) - 1n, 7n]))
  const length = Math.min(view.getUint32(at + 16), SLOT_BYTES - 52)
  const content = out.subarray(at + 52, at + 52 + length)
  if (random.oneIn(2)) content.set(mutateBytes(content, random, [content]).subarray(0, length))
  out.set(sha256(concatBytes(out.subarray(at, at + 20), content)), at + 20)
  return out
}

const guard = {
  name: 'guard record',
  weight: 2,
  ...fromBytes(records, resealed),
  read: (input) => {
    const found = decodeRecord(input)
    return found === 'damaged' ? undefined : found
  },
  check: ({ newest, at }, input) => {
    const slot = encodeSlot(newest)
    holds(
      equalBytes(input.subarray(at * SLOT_BYTES, at * SLOT_BYTES + slot.length), slot),
      'the slot encodes to other bytes',
    )
  },
}

const ORIGIN = 'rekor.example.com'
const givenUp = formatGivenUp({
  origin: ORIGIN,
  kept: notes[0],
  lost: [notes[1], notes[2]],
  at: '2026-01-01T00:00:00Z',
})

const given = {
  name: 'record of a tree that was given up',
  weight: 1,
  ...fromJson([givenUp], [utf8Encode(notes[0])]),
  read: (input) => parseGivenUp(text(input), ORIGIN),
  check: (value) => {
    const again = parseGivenUp(formatGivenUp(value), ORIGIN)
    holds(JSON.stringify(again) === JSON.stringify(value), 'the record reads otherwise when it is written again')
  },
}

export const treeParsers = [note, checkpoint, bundle, path, guard, given]
