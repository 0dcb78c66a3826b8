import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { nodeCrypto } from '@touchmark/crypto/node'
import { isCodedError } from '@touchmark/errors'
import { canonicaliseV1, parseV1Request, ShapeError } from './index.js'

interface Vector {
  name: string
  request: { method: string; path: string; headers: Record<string, string>; body?: string }
  response: { status: number; body: string }
  decoded?: { entryId: string; body: string; attestation?: string }[]
}

const read = (file: string): Vector[] =>
  JSON.parse(readFileSync(join(process.cwd(), 'test/vectors/rekor-v1', `${file}.json`), 'utf8')) as Vector[]
const posts = ['hashedrekord', 'dsse', 'intoto', 'rekord', 'rfc3161', 'duplicates', 'errors']
  .flatMap(read)
  .filter(({ request }) => request.method === 'POST' && /^\/+api\/v1\/log\/entries\/?(\?|$)/.test(request.path))

/** Leniency that no known client uses, and that is declined (docs/spec-divergences.md). */
const DECLINED: Readonly<Record<string, string>> = {
  'post-member-names-other-case': 'names in another letter case',
  'dsse-payload-urlsafe-base64': 'base64url gives an entry that the reference cannot read back',
  'dsse-signature-urlsafe-base64': 'the same',
  'rekord-pgp-armored': 'keys of format pgp are not taken',
  'rekord-pgp-binary': 'the same',
  'rekord-ssh': 'keys of format ssh are not taken',
}
/** The reference reads past what follows the JSON value, or past a body it has no use for. */
const READ_PAST: Readonly<Record<string, string>> = { 'post-trailing-garbage': 'refused here as no JSON' }
/** Texts of Go's libraries, which need not be equal (README of the vectors). */
const OWN_TEXT = /asn1:|json:|x509:|openpgp:|illegal base64|PGP|certificate missing from signedData|unexpected EOF/

function outcome(body: string): { body?: string; status?: number; message?: string } {
  try {
    const entry = canonicaliseV1(parseV1Request(new TextEncoder().encode(body)), 'submit', nodeCrypto)
    return { body: Buffer.from(entry.body).toString() }
  } catch (error) {
    if (!isCodedError(error)) throw error
    if (error instanceof ShapeError) return { status: 422, message: error.message }
    const prefix = error.code === 'ENTRY_V1_INVALID' ? 'error processing entry: ' : ''
    return { status: 400, message: prefix + error.message }
  }
}

describe('entries of API v1, as recorded from the reference', () => {
  const accepted = posts.filter(({ response, name }) => response.status === 201 && !(name in DECLINED))
  it.each(accepted.map((vector) => [vector.name, vector] as const))('writes the same body: %s', (_, vector) => {
    expect(outcome(vector.request.body!).body).toBe(vector.decoded![0]!.body)
  })

  const refused = posts.filter(
    ({ name, response, request }) =>
      [400, 422, 500].includes(response.status) &&
      !(name in READ_PAST) &&
      (request.headers['Content-Type'] ?? '').startsWith('application/json'),
  )
  it.each(refused.map((vector) => [vector.name, vector] as const))('refuses: %s', (_, vector) => {
    const found = outcome(vector.request.body ?? '')
    const wanted = JSON.parse(vector.response.body) as { message: string }
    expect(found.body).toBeUndefined()
    // Malformed JSON and a missing hash are 500 in the reference; here they are the client's fault.
    expect(found.status).toBe(vector.response.status === 500 ? 400 : vector.response.status)
    if (!OWN_TEXT.test(wanted.message) && vector.response.status !== 500) {
      expect(found.message).toBe(wanted.message)
    }
  })

  it.each(Object.keys(DECLINED))('declines %s', (name) => {
    const vector = posts.find((candidate) => candidate.name === name)!
    expect(outcome(vector.request.body!).status).toBeGreaterThanOrEqual(400)
  })
})
