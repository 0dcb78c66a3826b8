import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { entryRequest } from '../../support/log-writer.js'

/** The key of all these requests. */
export const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
/** The same as API v1 takes it: PEM in base64. */
export const publicKeyContent = Buffer.from(publicKey.export({ type: 'spki', format: 'pem' })).toString('base64')

/** A new entry of API v1, signed over its digest or over something else. */
export function v1Request(right = true): string {
  const data = randomBytes(32)
  const value = createHash('sha256').update(data).digest('hex')
  const content = sign('sha256', right ? data : randomBytes(32), privateKey).toString('base64')
  const signature = { content, publicKey: { content: publicKeyContent } }
  const spec = { data: { hash: { algorithm: 'sha256', value } }, signature }
  return JSON.stringify({ apiVersion: '0.0.1', kind: 'hashedrekord', spec })
}

/** A right request of API v2 whose signature is of something else. */
export function forged(): string {
  const [one, other] = [entryRequest(), entryRequest()].map(
    (text) => JSON.parse(text) as { hashedRekordRequestV002: { digest: string; signature: unknown } },
  )
  return JSON.stringify({
    hashedRekordRequestV002: { ...one!.hashedRekordRequestV002, digest: other!.hashedRekordRequestV002.digest },
  })
}
