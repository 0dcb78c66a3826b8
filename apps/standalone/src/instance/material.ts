import { existsSync, readdirSync } from 'node:fs'
import type { Clock } from '@touchmark/clock'
import type { Signer } from '@touchmark/crypto'
import { randomBytes } from '@touchmark/crypto/node'
import type { KeyStore } from '@touchmark/keys'
import {
  buildIntermediateCertificate,
  buildRootCertificate,
  buildTsaLeaf,
  parseCertificate,
  type Certificate,
} from '@touchmark/x509'
import { StandaloneError } from '../errors.js'
import { KEY_NAMES, KEYS, LIFETIME_MS, type KeyName } from './key-names.js'

/** Keys and certificates of an instance, opened. */
export interface Material {
  readonly signers: Readonly<Record<KeyName, Signer>>
  readonly caRoot: Certificate
  readonly caIntermediate: Certificate
  readonly tsaRoot: Certificate
  readonly tsaLeaf: Certificate
}

const CERTIFICATES = ['ca-root', 'ca-intermediate', 'tsa-root', 'tsa-leaf'] as const

/**
 * Opens the keys; those that are missing are made, but only while the instance is new: an instance whose database is not empty and whose keys
 * are gone is refused (STANDALONE_KEYS_MISSING), since new keys would make every older signature look forged.
 */
export async function openMaterial(
  store: KeyStore,
  options: {
    isNew: boolean
    /** Keys that have signed nothing yet: those of an API that the instance is older than. They may be made at any start. */
    unused?: readonly KeyName[]
    organization: string
    clock: Clock
    dir: string
  },
): Promise<Material> {
  const missing = KEY_NAMES.filter((name) => !store.has(name) && !options.unused?.includes(name))
  if (missing.length > 0 && !options.isNew) throw keysMissing(options.dir, missing.join(', '))
  const opened = await Promise.all(
    KEY_NAMES.map(async (name) => [name, await store.openOrCreate(name, KEYS[name])] as const),
  )
  const signers = Object.fromEntries(opened) as Record<KeyName, Signer>
  const present = await Promise.all(CERTIFICATES.map((name) => store.readCertificate(name)))
  if (present.includes(undefined)) {
    if (!options.isNew) throw keysMissing(options.dir, 'certificates')
    await makeCertificates(store, signers, options)
  }
  const read = async (name: (typeof CERTIFICATES)[number]): Promise<Certificate> =>
    matching(parseCertificate((await store.readCertificate(name))!), signers[name], name)
  return {
    signers,
    caRoot: await read('ca-root'),
    caIntermediate: await read('ca-intermediate'),
    tsaRoot: await read('tsa-root'),
    tsaLeaf: await read('tsa-leaf'),
  }
}

/** Refuses an empty or missing keys folder before a key store is made in it, which a restored backup would then have to replace. */
export function assertKeysThere(dir: string): void {
  if (!existsSync(dir) || readdirSync(dir).length === 0) throw keysMissing(dir, 'all keys')
}

function keysMissing(dir: string, what: string): StandaloneError {
  return new StandaloneError('STANDALONE_KEYS_MISSING', `the database holds an instance, but ${dir} lacks its keys`, {
    found: `missing: ${what}`,
    hint: 'Restore the keys folder from its backup, or point --data at the folder that has it. New keys would disown every older signature.',
  })
}

function matching(certificate: Certificate, signer: Signer, name: KeyName): Certificate {
  if (Buffer.compare(certificate.spki, signer.publicKey.spki) === 0) return certificate
  throw new StandaloneError('STANDALONE_KEY_DIFFERS', `the certificate ${name} is not of the key ${name}`, {
    hint: 'Keys and certificates of two instances were mixed. Restore the keys folder from one backup.',
  })
}

async function makeCertificates(
  store: KeyStore,
  signers: Record<KeyName, Signer>,
  options: { organization: string; clock: Clock },
): Promise<void> {
  // A minute of grace: the clocks of those who verify the first signature may be a little behind.
  const notBefore = new Date(Math.floor(options.clock.now().getTime() / 1000) * 1000 - 60_000)
  const until = (ms: number): Date => new Date(notBefore.getTime() + ms)
  const subject = (commonName: string): { organization: string; commonName: string } => ({
    organization: options.organization,
    commonName,
  })
  const authority = async (role: 'ca' | 'tsa', title: string): Promise<Certificate> => {
    const root = {
      subject: subject(`Touchmark ${title} Root`),
      notBefore,
      notAfter: until(LIFETIME_MS.root),
      random: randomBytes,
      signer: signers[`${role}-root`],
    }
    return parseCertificate(await buildRootCertificate(root))
  }
  const caRoot = await authority('ca', 'CA')
  const tsaRoot = await authority('tsa', 'TSA')
  const caIntermediate = await buildIntermediateCertificate({
    subject: subject('Touchmark Issuing CA'),
    key: signers['ca-intermediate'].publicKey,
    issuer: caRoot,
    signer: signers['ca-root'],
    purpose: 'codeSigning',
    random: randomBytes,
    notBefore,
    notAfter: until(LIFETIME_MS.intermediate),
  })
  const tsaLeaf = await buildTsaLeaf({
    subject: subject('Touchmark TSA'),
    key: signers['tsa-leaf'].publicKey,
    issuer: tsaRoot,
    signer: signers['tsa-root'],
    random: randomBytes,
    notBefore,
    notAfter: until(LIFETIME_MS.tsaLeaf),
  })
  await store.putCertificate('ca-root', caRoot.der, { replace: true })
  await store.putCertificate('ca-intermediate', caIntermediate, { replace: true })
  await store.putCertificate('tsa-root', tsaRoot.der, { replace: true })
  await store.putCertificate('tsa-leaf', tsaLeaf, { replace: true })
}
