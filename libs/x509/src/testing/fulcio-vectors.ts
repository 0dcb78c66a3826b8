import { readdirSync, readFileSync } from 'node:fs'
import { pemDecodeAll } from '@touchmark/encoding'
import { parsePublicKeyPem } from '@touchmark/crypto'
import type { PublicKey } from '@touchmark/crypto'
import { parseCertificate } from '../certificate.js'
import type { Certificate } from '../certificate.js'

/** Where the recordings of Fulcio v1.8.8 lie; their README says how they were made. */
export const FULCIO_VECTORS = new URL('../../../../test/vectors/fulcio/', import.meta.url)

export interface RecordedExtension {
  readonly oid: string
  readonly critical: boolean
  readonly value: string
}

export interface RecordedCase {
  readonly name: string
  readonly server: 'ephemeral' | 'chain' | 'no-ct' | 'ct-down'
  readonly time: string
  readonly extensions: readonly RecordedExtension[]
  readonly request: { readonly body: string }
  readonly response: { readonly body: string }
  readonly ctRequest?: { readonly body: { readonly chain: readonly string[] } }
}

export interface RecordedCertificate extends RecordedCase {
  readonly leaf: Certificate
  /** Issuing CA first, root last. */
  readonly chain: readonly Certificate[]
  /** Undefined when the server had no certificate log. */
  readonly logKey: PublicKey | undefined
}

function text(path: string): string {
  return readFileSync(new URL(path, FULCIO_VECTORS), 'utf8')
}

/** One certificate of the recordings. */
export function recordedPem(name: string): Certificate {
  return parseCertificate(pemDecodeAll(text(`certificates/${name}.pem`))[0]!.bytes)
}

/** One recorded case. */
export function recordedCase(name: string): RecordedCase {
  return JSON.parse(text(`cases/${name}.json`)) as RecordedCase
}

/** Every case that ended with a certificate. */
export function recordedCertificates(): RecordedCertificate[] {
  const chains = {
    ephemeral: [recordedPem('ephemeral-root')],
    file: [recordedPem('chain-intermediate'), recordedPem('chain-root')],
  }
  const keys = {
    ephemeral: parsePublicKeyPem(text('certificates/ephemeral-ct-log.pub.pem')),
    chain: parsePublicKeyPem(text('certificates/chain-ct-log.pub.pem')),
  }
  return readdirSync(new URL('cases/', FULCIO_VECTORS))
    .map((file) => recordedCase(file.replace('.json', '')))
    .filter((one) => 'certificate' in one)
    .map((one) => ({
      ...one,
      leaf: recordedPem(one.name),
      chain: one.server === 'ephemeral' ? chains.ephemeral : chains.file,
      logKey: one.server === 'ephemeral' ? keys.ephemeral : one.server === 'chain' ? keys.chain : undefined,
    }))
}
