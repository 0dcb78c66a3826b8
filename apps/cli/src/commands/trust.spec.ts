import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { encodeClientTrustConfig, parseClientTrustConfig, type LogInstance, type Service } from '@touchmark/trust'
import { readAtMost } from '@touchmark/encoding'
import { testContext, type TestContext } from '../testing/context.js'
import { INSTANCE_URL, ServedInstance } from '../testing/instance.js'
import { trustShow } from './trust.js'

let served: ServedInstance
let context: TestContext
let config: ReturnType<typeof parseClientTrustConfig>

beforeAll(async () => {
  served = await ServedInstance.create()
  const answer = await served.fetch(`${INSTANCE_URL}/trust/client_trust_config.json`, {})
  config = parseClientTrustConfig((await readAtMost(answer.body as AsyncIterable<Uint8Array>, 1 << 20))!)
})
beforeEach(async () => {
  context = await testContext({ fetch: (url, init) => served.fetch(url, init), json: true })
})
afterEach(() => context.remove())

const URL = 'https://log.example.com'
const START = new Date('2026-01-01T00:00:00Z')
const END = new Date('2026-02-01T00:00:00Z')

describe('touchmark trust show', () => {
  it.each<[string, [url: string, ended: boolean][], [url: string, version: number][], (string | undefined)[]]>([
    ['one log', [[URL, false]], [[`${URL}/`, 2]], ['v2']],
    [
      'a log of each API at one address',
      [
        [URL, false],
        [URL, false],
      ],
      [
        [URL, 2],
        [URL, 1],
      ],
      ['v1', 'v2'],
    ],
    [
      'ended ones',
      [
        [URL, true],
        [URL, false],
        ['https://old.example.com', true],
        ['https://new.example.com', false],
      ],
      [
        ['https://new.example.com', 2],
        [URL, 1],
      ],
      [undefined, 'v1', undefined, 'v2'],
    ],
    [
      'one that the config does not name',
      [
        [URL, false],
        [URL, false],
      ],
      [[URL, 2]],
      [undefined, undefined],
    ],
  ])('tells the logs of API v1 and v2 apart: %s', async (_name, logs, services, apis) => {
    const [first] = config.trustedRoot.tlogs
    const tlogs = logs.map(([baseUrl, ended], i): LogInstance => {
      const validFor = { start: START, ...(ended ? { end: END } : {}) }
      return { ...first!, baseUrl, logId: new Uint8Array(32).fill(i), publicKey: { ...first!.publicKey, validFor } }
    })
    const rekorTlogUrls = services.map(([url, majorApiVersion]): Service => ({ url, majorApiVersion, operator: '' }))
    const text = encodeClientTrustConfig({
      trustedRoot: { ...config.trustedRoot, tlogs },
      signingConfig: { ...config.signingConfig, rekorTlogUrls },
    })
    served.override = (url) => (url.endsWith('/client_trust_config.json') ? new Response(text) : undefined)
    await trustShow(context, { instance: INSTANCE_URL })
    const said = JSON.parse(context.said.out) as { signatureLogs: { api?: string }[] }
    expect(said.signatureLogs.map(({ api }) => api)).toEqual(apis)
  })
})
