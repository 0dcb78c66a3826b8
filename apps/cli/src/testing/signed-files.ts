import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { encodeBundle } from '@touchmark/bundle'
import { pemEncode, utf8Encode } from '@touchmark/encoding'
import { encodeTrustedRoot } from '@touchmark/trust'
import { OIDC_ISSUER, SAN, TestInstance } from '../../../../libs/verify/src/testing/instance.js'
import { form, sign, type Signed, type SignOptions } from '../../../../libs/verify/src/testing/signing.js'

export const WHO = { certificateIdentity: SAN.value, certificateOidcIssuer: OIDC_ISSUER }
export const MESSAGE = '0.3 message, v2'
export const MESSAGE_BY_KEY = '0.3 message by key, v2'
export const ATTESTATION = '0.3 attestation, v2'

/** Files with bundles of a test instance, in a folder of a test. */
export class SignedFiles {
  readonly instance: TestInstance
  readonly folder: string

  constructor(instance: TestInstance, folder: string) {
    this.instance = instance
    this.folder = folder
    this.write('root.json', encodeTrustedRoot(instance.trustedRoot))
  }

  static async create(folder: string): Promise<SignedFiles> {
    return new SignedFiles(await TestInstance.create(), folder)
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  /** Where the trusted root of the instance is. */
  get root(): string {
    return this.path('root.json')
  }

  write(name: string, content: string | Uint8Array): string {
    const path = this.path(name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
    return path
  }

  /** A file and its bundle; `suffix` is what the bundle's name has behind the file's. */
  async add(name: string, shape = MESSAGE, options: SignOptions = {}, suffix?: string): Promise<Signed> {
    const signed = await sign(this.instance, {
      form: form(shape),
      artifact: utf8Encode(`content of ${name}`),
      ...options,
    })
    this.write(name, signed.artifact)
    const usual = signed.form.content === 'message' ? '.sigstore.json' : '.att.sigstore.json'
    this.write(`${name}${suffix ?? usual}`, encodeBundle(signed.bundle))
    return signed
  }

  /** The public key that something was signed with, as a file. */
  keyOf(signed: Signed): string {
    return this.write('key.pub', pemEncode('PUBLIC KEY', signed.signer.publicKey.spki))
  }
}
