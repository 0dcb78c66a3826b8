import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const vectors = fileURLToPath(new URL('../../vectors', import.meta.url))

/** A recorded file as bytes; `path` is below test/vectors. */
export function file(path) {
  return new Uint8Array(readFileSync(join(vectors, path)))
}

export function json(path) {
  return JSON.parse(readFileSync(join(vectors, path), 'utf8'))
}

/** The paths of a folder's files with this ending. */
export function filesIn(folder, ending) {
  return readdirSync(join(vectors, folder))
    .filter((name) => name.endsWith(ending))
    .map((name) => `${folder}/${name}`)
}

/** Bodies of recorded requests; `accepted` alone, or all. Long ones are left out: they make few inputs. */
export function bodies(path, { accepted = false } = {}) {
  return json(path)
    .flatMap((vector) => vector.calls ?? [vector])
    .filter(({ request, response }) => request?.body !== undefined && (!accepted || response.status === 201))
    .map(({ request }) => request.body)
    .filter((text) => text.length < 16_384)
}

/** The stored bodies in the answers to uploads: API v1 keeps them under the entry's id. */
export function storedV1() {
  return ['hashedrekord', 'dsse', 'intoto', 'rekord', 'rfc3161']
    .flatMap((name) => json(`rekor-v1/${name}.json`))
    .filter(({ response }) => response.status === 201)
    .flatMap(({ response }) => Object.values(JSON.parse(response.body)))
    .map(({ body }) => new Uint8Array(Buffer.from(body, 'base64')))
}

export function storedV2() {
  return ['accepted', 'dsse', 'clients']
    .flatMap((name) => json(`rekor-v2/${name}.json`))
    .flatMap((vector) => vector.calls ?? [vector])
    .filter(({ response }) => response?.body?.includes('"canonicalizedBody"'))
    .map(({ response }) => new Uint8Array(Buffer.from(JSON.parse(response.body).canonicalizedBody, 'base64')))
}

/** The DER in the PEM blocks of a folder, by label. */
export function pemBlocks(folder, label) {
  return filesIn(folder, '.pem').flatMap((path) => {
    const text = Buffer.from(file(path)).toString()
    const blocks = text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----\n([\s\S]+?)-----END/g)
    return [...blocks]
      .filter((block) => block[1] === label)
      .map((block) => new Uint8Array(Buffer.from(block[2], 'base64')))
  })
}
