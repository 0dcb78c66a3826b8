import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { nodeCrypto } from '@touchmark/crypto/node'
import { hexEncode, utf8Encode } from '@touchmark/encoding'
import { encodeTimestampRequest, parseTimestampResponse, parseTstInfo } from '@touchmark/timestamp'
import { NOW, TestInstance } from '../../verify/src/testing/instance.js'
import { testHttp } from './testing/servers.js'
import { TestServices, URLS } from './testing/services.js'
import { requestTimestamp } from './tsa-client.js'

const SIGNATURE: Uint8Array = new Uint8Array()
const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
let instance: TestInstance
let services: TestServices

beforeAll(async () => {
  instance = await TestInstance.create()
})
beforeEach(() => {
  services = new TestServices(instance)
})

const request = (nonce = 1n, signature = SIGNATURE): Promise<Uint8Array> =>
  requestTimestamp(URLS.tsaUrl, signature, { crypto: nodeCrypto, nonce, http: testHttp({ fetch: services.fetch }) })

async function sent(nonce: bigint): Promise<string> {
  await request(nonce)
  return hexEncode(services.asked.at(-1)!.body)
}

describe('requestTimestamp', () => {
  // The bytes of contract/tsa.md §2, with a nonce after the imprint and the outer length that goes with it.
  const IMPRINT = `3031300d060960864801650304020105000420${EMPTY_SHA256}`
  it.each([
    [1n, `3039020101${IMPRINT}020101`],
    [0n, `3039020101${IMPRINT}020100`],
    [0x7fn, `3039020101${IMPRINT}02017f`],
    [0x80n, `303a020101${IMPRINT}02020080`],
    [0xffffffffffffffffn, `3041020101${IMPRINT}020900ffffffffffffffff`],
    [0x7fffffffffffffffn, `3040020101${IMPRINT}02087fffffffffffffff`],
  ])('asks in DER for a token with the nonce %d', async (nonce, hex) => {
    expect(await sent(nonce)).toBe(hex)
  })

  it('hands back the whole response, a token over the signature with our nonce', async () => {
    const signature = utf8Encode('signature')
    const { status, token } = parseTimestampResponse(await request(5n, signature))
    const info = parseTstInfo(token!.tstInfoBytes)
    expect([status, info.digest, info.nonce, info.genTime]).toEqual([
      0,
      nodeCrypto.hash('SHA2_256', signature),
      Uint8Array.of(5),
      NOW,
    ])
  })

  it('says that the authority refused', async () => {
    services.change = () => Response.json({ code: 400, message: 'Weak hash algorithm' }, { status: 400 })
    await expect(request()).rejects.toThrowCode('SIGN_REQUEST_REFUSED')
  })

  it('refuses a token over other bytes', async () => {
    const digest = nodeCrypto.hash('SHA2_256', utf8Encode('other'))
    const other = encodeTimestampRequest({ hashAlgorithm: 'SHA2_256', digest, nonce: 1n })
    services.change = () => services.tsa(other)
    await expect(request()).rejects.toThrowCode('SIGN_SERVICE_ANSWER')
  })

  it('refuses a token for another request, and one without a nonce', async () => {
    const older = await request(7n)
    services.change = () => new Response(Uint8Array.from(older), { status: 201 })
    await expect(request(8n)).rejects.toThrowCode('SIGN_SERVICE_ANSWER')
    const bare = await instance.timestamp(SIGNATURE)
    services.change = () => new Response(Uint8Array.from(bare), { status: 201 })
    await expect(request()).rejects.toThrowCode('SIGN_SERVICE_ANSWER')
  })

  it('refuses a rejection, with a token or without', async () => {
    // TimeStampResp { PKIStatusInfo { rejection (2) } }
    services.change = () => new Response(Uint8Array.of(0x30, 5, 0x30, 3, 2, 1, 2), { status: 200 })
    await expect(request()).rejects.toThrowCode('SIGN_SERVICE_ANSWER')
    services.change = async (_service, response) => {
      const bytes = new Uint8Array(await response.arrayBuffer())
      // The status is the first INTEGER of one octet.
      const at = bytes.findIndex((byte, i) => byte === 2 && bytes[i + 1] === 1 && bytes[i + 2] === 0)
      return new Response(Uint8Array.from(bytes).fill(2, at + 2, at + 3), { status: 200 })
    }
    await expect(request()).rejects.toThrowCode('SIGN_SERVICE_ANSWER')
  })

  it('refuses an answer that is cut off anywhere', async () => {
    const whole = await request()
    for (let length = 0; length < whole.length; length += 7) {
      services.change = () => new Response(Uint8Array.from(whole.subarray(0, length)), { status: 201 })
      await expect(request()).rejects.toThrowCode('SIGN_SERVICE_ANSWER')
    }
  })

  it('refuses an answer with something after it', async () => {
    const whole = await request()
    services.change = () => new Response(Uint8Array.from([...whole, 0]), { status: 201 })
    await expect(request()).rejects.toThrowCode('SIGN_SERVICE_ANSWER')
  })
})
