import { equalBytes } from '@touchmark/encoding'
import { AuditError } from '../errors.js'
import { CHECKPOINT, MARKER, type ExportTarget } from './export-target.js'
import type { S3Place } from './s3-place.js'
import { S3Store, type S3Answer, type S3Credentials, type S3Http } from './s3-store.js'

/** As the log's own static reads give them (C2SP tlog-tiles): what a CDN passes on. */
const IMMUTABLE = { 'content-type': 'application/octet-stream', 'cache-control': 'max-age=604800,immutable' }
const NEWEST = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-cache' }
/** No object has it. */
const NO_ETAG = '"00000000000000000000000000000000"'
/** A tile has at most 255 partial files; a list is cut off behind 1,000. */
const MAX_KEYS = '1000'

/**
 * A bucket of an S3-compatible store as the target of an export. A PUT makes a whole object or none. Objects are made with `If-None-Match: *` and the
 * checkpoint is replaced with `If-Match`, so that two exporters never undo each other, where the store heeds these; `guarded` says whether it does. Where it
 * does not, the checkpoint is read again right before it is replaced, and one exporter at a time may write.
 */
export class S3Target implements ExportTarget {
  readonly name: string
  readonly #store: S3Store
  /** False once the store has said that it does not know conditional writes. */
  #conditional = true
  #guarded: boolean | undefined
  #mayRemove = true

  constructor(place: S3Place, credentials: S3Credentials, http: S3Http) {
    this.name = `s3://${place.bucket}${place.prefix === '' ? '' : `/${place.prefix.replace(/\/$/, '')}`}`
    this.#store = new S3Store(place, credentials, http)
  }

  /** Whether the store heeds conditional writes: known once something was written. */
  get guarded(): boolean | undefined {
    return this.#guarded
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    return (await this.#get(path))?.body
  }

  async has(path: string): Promise<boolean> {
    return (await this.#store.send({ method: 'HEAD', key: path, expect: [200, 404] })).status === 200
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    const { status } = await this.#put(path, bytes, { 'if-none-match': '*' })
    if (status === 200) return
    // It is there: the answer to an earlier try was lost, or another exporter was first.
    const there = await this.read(path)
    if (there === undefined || !equalBytes(there, bytes)) throw refused(`${path} in ${this.name} has other bytes`)
  }

  async replaceCheckpoint(note: Uint8Array, before: Uint8Array | undefined): Promise<void> {
    this.#guarded ??= await this.#isGuarded()
    const now = await this.#get(CHECKPOINT)
    if (now !== undefined && equalBytes(now.body, note)) return
    if (!same(now?.body, before)) throw overtaken(this.name)
    const condition =
      now === undefined ? { 'if-none-match': '*' } : now.etag === undefined ? {} : { 'if-match': now.etag }
    const { status } = await this.#put(CHECKPOINT, note, condition)
    if (status === 200) return
    const there = await this.read(CHECKPOINT)
    if (there === undefined || !equalBytes(there, note)) throw overtaken(this.name)
  }

  async isEmpty(): Promise<boolean> {
    return (await this.#list('', '1')).length === 0
  }

  /** Without the permission to remove them they stay, and do no harm. */
  async removePartials(path: string): Promise<void> {
    if (!this.#mayRemove) return
    const folder = `${path}.p/`
    for (const key of await this.#list(folder, MAX_KEYS)) {
      // Whatever the list says, nothing but partial files of this tile is removed.
      if (!key.startsWith(folder) || !/^\d{1,3}$/.test(key.slice(folder.length))) continue
      const { status } = await this.#store.send({ method: 'DELETE', key, expect: [200, 204, 404, 403] })
      if (status === 403) return void (this.#mayRemove = false)
    }
  }

  async #get(path: string): Promise<S3Answer | undefined> {
    const answer = await this.#store.send({ method: 'GET', key: path, expect: [200, 404] })
    if (answer.status === 200) return answer
    // A bucket that is not there is no empty one.
    if (new TextDecoder('latin1').decode(answer.body.subarray(0, 4096)).includes('<Code>NoSuchBucket</Code>')) {
      throw new AuditError('AUDIT_EXPORT_FAILED', `${this.name}: there is no such bucket`, {
        hint: 'Make the bucket first.',
      })
    }
    return undefined
  }

  /** Answers with 200, or 412 when the condition does not hold. */
  async #put(path: string, body: Uint8Array, condition: Record<string, string>): Promise<S3Answer> {
    const headers = path === CHECKPOINT || path === MARKER ? NEWEST : IMMUTABLE
    if (this.#conditional) {
      const answer = await this.#store.send({
        method: 'PUT',
        key: path,
        headers: { ...headers, ...condition },
        body,
        expect: [200, 412, 501],
      })
      if (answer.status !== 501) return answer
      this.#conditional = false
    }
    return this.#store.send({ method: 'PUT', key: path, headers, body, expect: [200] })
  }

  /** Asks for two writes that must not happen; a store that does them all the same writes what is there already. */
  async #isGuarded(): Promise<boolean> {
    const marker = await this.read(MARKER)
    if (marker === undefined) return false
    for (const condition of [{ 'if-none-match': '*' }, { 'if-match': NO_ETAG }]) {
      if (!this.#conditional || (await this.#put(MARKER, marker, condition)).status !== 412) return false
    }
    return true
  }

  async #list(below: string, maxKeys: string): Promise<string[]> {
    const { prefix } = this.#store.place
    const query = { 'list-type': '2', 'max-keys': maxKeys, prefix: `${prefix}${below}` }
    const { body } = await this.#store.send({ method: 'GET', query, expect: [200] })
    const text = new TextDecoder().decode(body)
    if (!text.includes('<ListBucketResult')) {
      throw new AuditError('AUDIT_EXPORT_FAILED', `${this.name}: what the store answered is no list of objects`)
    }
    // Keys of an export have no character that XML escapes; others are only counted.
    const keys = [...text.matchAll(/<Key>([^<]{1,4096})<\/Key>/g)].map((match) => match[1]!)
    return keys.map((key) => (key.startsWith(prefix) ? key.slice(prefix.length) : key))
  }
}

function same(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  return one === undefined || other === undefined ? one === other : equalBytes(one, other)
}

function overtaken(name: string): AuditError {
  return refused(`another exporter has written the checkpoint in ${name} meanwhile`)
}

function refused(message: string): AuditError {
  return new AuditError('AUDIT_EXPORT_REFUSED', message, {
    hint: 'Nothing was overwritten. Let one exporter write to a target; the next export looks at it anew.',
  })
}
