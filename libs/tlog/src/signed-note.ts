import { base64Decode, base64Encode, concatBytes, utf8Encode } from '@touchmark/encoding'
import type { Signer } from '@touchmark/crypto'
import { TlogError } from './errors.js'

/** One signature line: `— <name> <base64(key id || signature)>`. */
export interface NoteSignature {
  readonly name: string
  /** 4 bytes: a hint which key it is, no proof. */
  readonly keyId: Uint8Array
  readonly signature: Uint8Array
}

/** A C2SP signed note. `text` is what is signed: every line, the last newline included, without the blank line. */
export interface SignedNote {
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** Limits of Go's note package, read before anything is copied. */
const MAX_NOTE_CHARS = 1_000_000
const MAX_SIGNATURES = 100
const KEY_ID_BYTES = 4
/** U+2014 and one space. */
const SIGNATURE_START = '\u2014 '
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/
const NAME = /^[^\s+]+$/u

/** Reads a signed note. Nothing is verified yet. Throws TLOG_NOTE_INVALID. */
export function parseSignedNote(note: string): SignedNote {
  if (note.length > MAX_NOTE_CHARS) throw invalid('it is too long')
  if (!note.isWellFormed()) throw invalid('it has a lone surrogate')
  if (CONTROL.test(note)) throw invalid('it has control characters')
  const split = note.lastIndexOf('\n\n')
  if (split < 0) throw invalid('there is no blank line before the signatures')
  if (!note.endsWith('\n')) throw invalid('it does not end with a newline')
  const lines = note.slice(split + 2, -1).split('\n')
  if (lines.length > MAX_SIGNATURES) throw invalid(`there are more than ${MAX_SIGNATURES} signatures`)
  return { text: note.slice(0, split + 1), signatures: lines.map(parseSignatureLine) }
}

/** Writes a signed note; what {@link parseSignedNote} would refuse is refused. */
export function formatSignedNote({ text, signatures }: SignedNote): string {
  if (!text.endsWith('\n')) throw invalid('its text must be whole lines')
  const lines = signatures.map(({ name, keyId, signature }) => {
    checkName(name)
    return `${SIGNATURE_START}${name} ${base64Encode(concatBytes(keyId, signature))}\n`
  })
  const note = `${text}\n${lines.join('')}`
  parseSignedNote(note)
  return note
}

/** Signs a note's text. `keyId` may be a whole log id: its first 4 bytes are taken. */
export async function signNote(text: string, name: string, keyId: Uint8Array, signer: Signer): Promise<string> {
  const signature = await signer.sign(utf8Encode(text))
  return formatSignedNote({ text, signatures: [{ name, keyId: keyId.slice(0, KEY_ID_BYTES), signature }] })
}

function parseSignatureLine(line: string): NoteSignature {
  if (!line.startsWith(SIGNATURE_START)) throw invalid('a signature line does not begin with a dash')
  const rest = line.slice(SIGNATURE_START.length)
  const space = rest.indexOf(' ')
  if (space < 0) throw invalid('a signature line has no key name')
  const name = rest.slice(0, space)
  checkName(name)
  let bytes: Uint8Array
  try {
    bytes = base64Decode(rest.slice(space + 1))
  } catch (cause) {
    throw new TlogError('TLOG_NOTE_INVALID', 'not a signed note: a signature is not base64', { cause })
  }
  if (bytes.length <= KEY_ID_BYTES) throw invalid('a signature is too short')
  return { name, keyId: bytes.slice(0, KEY_ID_BYTES), signature: bytes.slice(KEY_ID_BYTES) }
}

function checkName(name: string): void {
  if (!NAME.test(name)) throw invalid('a key name is empty, or has white space or a plus sign')
}

function invalid(why: string): TlogError {
  return new TlogError('TLOG_NOTE_INVALID', `not a signed note: ${why}`)
}
