import type { TestInstance } from '../../../../libs/verify/src/testing/instance.js'
import { URLS } from '../../../../libs/sign/src/testing/services.js'
import { INSTANCE_URL, ISSUER_URL, ServedInstance } from './instance.js'
import { staticFiles } from './tile-log.js'

/** What `/api/v2/configuration` of the test CA says. */
export const CA_ISSUERS: readonly object[] = [
  { issuerUrl: ISSUER_URL, audience: 'sigstore', issuerType: 'email', challengeClaim: 'email' },
]

const LOG_FILES = `${URLS.logUrl}/api/v2/`

/** An instance all of whose services answer; `answers` replaces the answer to one address. */
export class HealthyInstance {
  readonly served: ServedInstance
  /** By URL; a function is asked anew each time. */
  readonly answers = new Map<string, () => Response>()
  issuers: readonly object[] = CA_ISSUERS
  /** The Date header of every answer; undefined for none. */
  date: () => string | undefined = () => undefined

  /** The signed note of its log. */
  readonly checkpoint: string

  private constructor(served: ServedInstance, checkpoint: string) {
    this.served = served
    this.checkpoint = checkpoint
  }

  static async create(instance: TestInstance): Promise<HealthyInstance> {
    const files = await staticFiles(instance.v2)
    const checkpoint = Buffer.from(files.get('checkpoint')!).toString()
    const healthy = new HealthyInstance(new ServedInstance(instance), checkpoint)
    healthy.served.override = (url) => healthy.#answer(url, files)
    return healthy
  }

  #answer(url: string, files: ReadonlyMap<string, Uint8Array>): Response | undefined {
    const instead = this.answers.get(url)
    if (instead !== undefined) return instead()
    if (url === `${INSTANCE_URL}/readyz`) return this.#json({ status: 'ok' })
    if (url === `${URLS.caUrl}/api/v2/configuration`) return this.#json({ issuers: this.issuers })
    if (url === `${ISSUER_URL}/.well-known/openid-configuration`)
      return this.#json({
        issuer: ISSUER_URL,
        authorization_endpoint: `${ISSUER_URL}/auth`,
        token_endpoint: `${ISSUER_URL}/token`,
      })
    const file = url.startsWith(LOG_FILES) ? files.get(url.slice(LOG_FILES.length)) : undefined
    return file === undefined ? undefined : new Response(Uint8Array.from(file), { headers: this.#headers() })
  }

  #headers(): Record<string, string> {
    const date = this.date()
    return date === undefined ? {} : { date }
  }

  #json(value: object): Response {
    return Response.json(value, { headers: this.#headers() })
  }
}
