import { p256 } from '@noble/curves/nist.js'
import { derBitString, derOid, derSequence } from '@touchmark/encoding'
import { parsePublicKeyDer } from '@touchmark/crypto'
import type { Signer } from '@touchmark/crypto'
import { nobleCrypto } from '@touchmark/crypto/noble'
import { algorithmIdentifier } from '../algorithms.js'
import { buildIntermediateCertificate, buildRootCertificate, buildTsaLeaf } from '../build-ca.js'
import { parseCertificate } from '../certificate.js'
import type { Certificate } from '../certificate.js'
import { assembleCertificate } from '../encode.js'
import { plainTbs, prepareLeaf, withPoison, withScts } from '../leaf-template.js'
import type { LeafInput } from '../leaf-template.js'
import { signSct } from '../sct.js'

/** A signer whose key is this one repeated octet and whose signatures are those of RFC 6979: the same bytes on every run. */
export function fixedSigner(octet: number): Signer {
  const secret = new Uint8Array(32).fill(octet)
  const algorithm = derSequence(derOid('1.2.840.10045.2.1'), derOid('1.2.840.10045.3.1.7'))
  const publicKey = parsePublicKeyDer(derSequence(algorithm, derBitString(p256.getPublicKey(secret, false))))
  return {
    publicKey,
    scheme: { kind: 'ecdsa', hash: 'SHA2_256' },
    sign: async (message) => p256.sign(message, secret, { lowS: false, format: 'der' }),
  }
}

export const GOLDEN_DATES = { notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2036-01-01T00:00:00Z') }
export const GOLDEN_TIME = new Date('2026-06-01T12:00:00Z')

export const keys = {
  root: fixedSigner(0x11),
  intermediate: fixedSigner(0x22),
  log: fixedSigner(0x33),
  leaf: fixedSigner(0x44),
  tsaRoot: fixedSigner(0x55),
  tsa: fixedSigner(0x66),
}

const ORGANIZATION = 'example.org'
const serial = (octet: number) => (length: number) => new Uint8Array(length).fill(octet)
const name = (commonName: string) => ({ organization: ORGANIZATION, commonName })

const CI: Pick<LeafInput, 'san' | 'oidcIssuer' | 'extensions'> = {
  san: { type: 'uri', value: 'https://github.com/octo-org/octo-repo/.github/workflows/build.yml@refs/heads/main' },
  oidcIssuer: 'https://token.actions.githubusercontent.com',
  extensions: {
    githubWorkflowTrigger: 'push',
    githubWorkflowSha: '1'.repeat(40),
    githubWorkflowName: 'build',
    githubWorkflowRepository: 'octo-org/octo-repo',
    githubWorkflowRef: 'refs/heads/main',
    buildSignerUri: 'https://github.com/octo-org/octo-repo/.github/workflows/build.yml@refs/heads/main',
    buildSignerDigest: '2'.repeat(40),
    runnerEnvironment: 'github-hosted',
    sourceRepositoryUri: 'https://github.com/octo-org/octo-repo',
    sourceRepositoryDigest: '1'.repeat(40),
    sourceRepositoryRef: 'refs/heads/main',
    sourceRepositoryIdentifier: '74',
    sourceRepositoryOwnerUri: 'https://github.com/octo-org',
    sourceRepositoryOwnerIdentifier: '65',
    buildConfigUri: 'https://github.com/octo-org/octo-repo/.github/workflows/build.yml@refs/heads/main',
    buildConfigDigest: '3'.repeat(40),
    buildTrigger: 'push',
    runInvocationUri: 'https://github.com/octo-org/octo-repo/actions/runs/1/attempts/1',
    sourceRepositoryVisibilityAtSigning: 'private',
    deploymentEnvironment: 'prod',
    tokenSubject: 'repo:octo-org/octo-repo:environment:prod',
  },
}
const PERSON: typeof CI = {
  san: { type: 'email', value: 'dev@example.com' },
  oidcIssuer: 'http://localhost:3000/oidc',
  extensions: { tokenSubject: 'dev@example.com' },
}
const USER: typeof CI = {
  san: { type: 'otherName', value: 'alice!example.com' },
  oidcIssuer: 'https://issuer.example.com',
  extensions: {},
}

/** Every kind of certificate that is made here, with fixed keys, serials and times. */
export type GoldenFamily = Record<
  'root' | 'intermediate' | 'tsa-root' | 'tsa-leaf' | 'leaf-email' | 'leaf-ci' | 'leaf-username' | 'precertificate',
  Certificate
>

export async function goldenFamily(): Promise<GoldenFamily> {
  const root = parseCertificate(
    await buildRootCertificate({
      subject: name('touchmark-root'),
      ...GOLDEN_DATES,
      signer: keys.root,
      random: serial(0x11),
    }),
  )
  const intermediate = parseCertificate(
    await buildIntermediateCertificate({
      subject: name('touchmark'),
      ...GOLDEN_DATES,
      signer: keys.root,
      random: serial(0x22),
      key: keys.intermediate.publicKey,
      issuer: root,
      purpose: 'codeSigning',
    }),
  )
  const tsaRoot = parseCertificate(
    await buildRootCertificate({
      subject: name('touchmark-tsa-root'),
      ...GOLDEN_DATES,
      signer: keys.tsaRoot,
      random: serial(0x55),
    }),
  )
  const tsaLeaf = parseCertificate(
    await buildTsaLeaf({
      subject: name('touchmark-tsa'),
      ...GOLDEN_DATES,
      signer: keys.tsaRoot,
      random: serial(0x66),
      key: keys.tsa.publicKey,
      issuer: tsaRoot,
    }),
  )
  const algorithm = algorithmIdentifier(keys.intermediate.scheme)
  const parts = (one: typeof CI, octet: number) =>
    prepareLeaf({
      ...one,
      issuer: intermediate,
      signatureAlgorithm: algorithm,
      publicKey: keys.leaf.publicKey,
      serial: serial(octet)(20),
      notBefore: GOLDEN_TIME,
      notAfter: new Date(GOLDEN_TIME.getTime() + 600_000),
    })
  const sealed = async (tbs: Uint8Array): Promise<Certificate> =>
    parseCertificate(assembleCertificate(tbs, algorithm, await keys.intermediate.sign(tbs)))
  const final = async (one: typeof CI, octet: number): Promise<Certificate> => {
    const draft = parts(one, octet)
    const issuerKeyHash = nobleCrypto.hash('SHA2_256', intermediate.spki)
    const entry = { type: 'precert', issuerKeyHash, tbs: plainTbs(draft) } as const
    const sct = await signSct({ timestampMs: GOLDEN_TIME.getTime() + 250, entry }, keys.log, nobleCrypto)
    return sealed(withScts(draft, [sct]))
  }
  return {
    root,
    intermediate,
    'tsa-root': tsaRoot,
    'tsa-leaf': tsaLeaf,
    'leaf-email': await final(PERSON, 0x44),
    'leaf-ci': await final(CI, 0x45),
    'leaf-username': await final(USER, 0x46),
    precertificate: await sealed(withPoison(parts(PERSON, 0x44))),
  }
}
