import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { outsideVectors } from '../../../../test/support/outside-vectors.mjs'
import { parseCertificatesPem, type Certificate } from '@touchmark/x509'

const FOLDER = new URL('../../../../test/vectors/tsa/', import.meta.url)

export interface RecordedCase {
  readonly name: string
  readonly request: string
  readonly requestContentType: string
  readonly response: string
  readonly status: number
  readonly chain: string
  readonly signerHash: 'sha256' | 'sha384' | 'sha512'
  readonly serverOptions: readonly string[]
  readonly tstInfo: {
    readonly version: number
    readonly policy: string
    readonly hashAlgorithm: string
    readonly messageImprint: string
    readonly serialNumberHex: string
    readonly genTime: string
    readonly accuracy: string
    readonly nonce?: string
    readonly tsa: string
    readonly extensions?: string
  }
  readonly signedData: {
    readonly version: number
    readonly digestAlgorithms: string
    readonly certificatesFirstBytes: string
    readonly certificateCount: number
    readonly signerInfoVersion: number
    readonly signedAttributesInOrder: readonly string[]
    readonly signatureAlgorithm: string
    readonly signingCertificateV2: string
  }
}

export interface RecordedExchange {
  readonly name: string
  readonly request: {
    readonly method: string
    readonly path: string
    readonly headers: Readonly<Record<string, string>>
    readonly body?: string
    readonly bodyBase64?: string
    readonly bodyRecipe?: string
  }
  readonly response: {
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly body?: string
    readonly bodyBase64?: string
  }
  readonly accepted?: boolean
  readonly serverOptions?: readonly string[]
}

/** A file of the recorded vectors. */
export function recorded(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(name, FOLDER)))
}

export function recordedCases(): readonly RecordedCase[] {
  return JSON.parse(readFileSync(new URL('cases.json', FOLDER), 'utf8')) as RecordedCase[]
}

export function recordedExchanges(): readonly RecordedExchange[] {
  return JSON.parse(readFileSync(new URL('http.json', FOLDER), 'utf8')) as RecordedExchange[]
}

export function recordedChainPem(name: string): string {
  return readFileSync(new URL(`chain-${name}.pem`, FOLDER), 'utf8')
}

export function recordedChain(name: string): readonly Certificate[] {
  return parseCertificatesPem(recordedChainPem(name))
}

export interface ConformanceFolder {
  readonly name: string
  readonly bundle: string
  /** The folder's own trusted root, or the public-good one. */
  readonly trustedRoot: string
}

/** Folders of sigstore-conformance, none when it is absent. Throws when it must not be. */
export function conformanceFolders(): readonly ConformanceFolder[] {
  const suite = outsideVectors('sigstore-conformance')
  if (suite === undefined) return []
  const root = join(suite, 'bundle-verify')
  const shared = readFileSync(join(suite, 'public-good.trusted_root.json'), 'utf8')
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => {
      const own = join(root, name, 'trusted_root.json')
      return {
        name,
        bundle: readFileSync(join(root, name, 'bundle.sigstore.json'), 'utf8'),
        trustedRoot: existsSync(own) ? readFileSync(own, 'utf8') : shared,
      }
    })
}
