import {
  SIGNING_CONFIG_MEDIA_TYPE,
  encodeClientTrustConfig,
  trustedRootFingerprint,
  type TrustedRoot,
} from '@touchmark/trust'
import { nodeCrypto } from '@touchmark/crypto/node'
import type { Fetch } from '@touchmark/sign'
import { TestServices, URLS } from '../../../../libs/sign/src/testing/services.js'
import { TestInstance } from '../../../../libs/verify/src/testing/instance.js'

export const INSTANCE_URL = 'https://touchmark.example.com'
export const ISSUER_URL = 'https://oidc.example.com'

/** A whole instance behind a `fetch`: its trust documents, and its services as of libs/sign. What a test sets here is what is served. */
export class ServedInstance {
  readonly instance: TestInstance
  readonly services: TestServices
  root: TrustedRoot
  /** Replaces the answer to a URL; undefined lets it pass. */
  override: (url: string) => Response | undefined = () => undefined
  readonly visited: string[] = []

  constructor(instance: TestInstance) {
    this.instance = instance
    this.services = new TestServices(instance)
    this.root = instance.trustedRoot
  }

  static async create(): Promise<ServedInstance> {
    return new ServedInstance(await TestInstance.create())
  }

  get fingerprint(): string {
    return trustedRootFingerprint(this.root, nodeCrypto)
  }

  readonly fetch: Fetch = async (url, init) => {
    this.visited.push(url)
    const instead = this.override(url)
    if (instead !== undefined) return instead
    if (url !== `${INSTANCE_URL}/trust/client_trust_config.json`) return this.services.fetch(url, init)
    const service = (address: string, majorApiVersion = 1) => ({
      url: address,
      majorApiVersion,
      operator: 'example.com',
    })
    return new Response(
      encodeClientTrustConfig({
        trustedRoot: this.root,
        signingConfig: {
          mediaType: SIGNING_CONFIG_MEDIA_TYPE,
          caUrls: [service(URLS.caUrl)],
          oidcUrls: [service(ISSUER_URL)],
          rekorTlogUrls: [service(URLS.logUrl, 2)],
          rekorTlogConfig: { selector: 'ANY' },
          tsaUrls: [service(URLS.tsaUrl)],
          tsaConfig: { selector: 'ANY' },
        },
      }),
    )
  }
}
