import { readdirSync, statSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { encodeClientTrustConfig, encodeTrustedRoot } from '@touchmark/trust'
import type { TestInstance } from '../../../libs/verify/src/testing/instance.js'
import { testContext, type TestContext } from './testing/context.js'
import { INSTANCE_URL, ServedInstance } from './testing/instance.js'
import { trustUse } from './commands/trust.js'
import { instanceUrl, trustCurrentInstance, trustedRootFile, trustInstance, useInstance } from './trust-store.js'

let instance: TestInstance
let otherInstance: TestInstance
let served: ServedInstance
let other: ServedInstance
let context: TestContext
const options = { instance: INSTANCE_URL }

beforeAll(async () => {
  instance = (await ServedInstance.create()).instance
  otherInstance = (await ServedInstance.create()).instance
})
beforeEach(async () => {
  served = new ServedInstance(instance)
  other = new ServedInstance(otherInstance)
  context = await testContext({ fetch: (url, init) => served.fetch(url, init) })
})
afterEach(() => context.remove())

/** From now on the same URL serves another root. */
function changeRoot(): void {
  served.root = otherInstance.trustedRoot
}

describe('instanceUrl', () => {
  const ask = async (given: string | undefined, environment: NodeJS.ProcessEnv = {}): Promise<string> =>
    instanceUrl({ ...context, environment }, given === undefined ? {} : { instance: given })

  it('prefers what is given to the environment, and that to what was chosen', async () => {
    await useInstance(context, 'https://chosen.example.com', {}).catch(() => undefined)
    await useInstance(context, INSTANCE_URL, {})
    const environment = { TOUCHMARK_INSTANCE: 'https://b.example.com' }
    await expect(ask('https://a.example.com', environment)).resolves.toBe('https://a.example.com')
    await expect(ask(undefined, environment)).resolves.toBe('https://b.example.com')
    await expect(ask(undefined, { TOUCHMARK_INSTANCE: '' })).resolves.toBe(INSTANCE_URL)
  })

  it('says that none is chosen', async () => {
    await expect(ask(undefined)).rejects.toThrowCode('CLI_NO_INSTANCE')
  })

  it.each(['https://T.example.com:443/', 'https://t.example.com//', 'HTTPS://t.example.com'])(
    'knows %s by one name',
    async (url) => {
      await expect(ask(url)).resolves.toBe('https://t.example.com')
    },
  )

  it.each(['', 'touchmark.example.com', 'ftp://x', 'file:///x', 'https://user:pw@x', 'https://x/?a', 'https://x/#a'])(
    'refuses %j',
    async (url) => {
      await expect(ask(url)).rejects.toThrowCode('CLI_USAGE')
    },
  )
})

describe('the trust of an instance', () => {
  it('is said aloud at first use, kept for its owner alone, and asked for no more', async () => {
    const first = await trustInstance(context, options)
    expect(context.said.err).toContain(`sha256:${served.fingerprint}`)
    expect(context.said.out).toBe('')
    const folder = join(context.home, 'instances')
    const [file] = readdirSync(folder)
    expect(statSync(join(folder, file!)).mode & 0o777).toBe(0o600)
    expect(statSync(folder).mode & 0o777).toBe(0o700)

    context.said.err = ''
    const again = await trustInstance(context, options)
    expect([again.fingerprint, context.said.err, served.visited.length]).toEqual([first.fingerprint, '', 1])
  })

  it('is used as it is stored when the instance is away', async () => {
    await trustInstance(context, options)
    served.override = () => new Response('', { status: 503 })
    await expect(trustCurrentInstance(context, options)).resolves.toMatchObject({ fingerprint: served.fingerprint })
  })

  it.each([
    [404, 'CLI_INSTANCE_ANSWER'],
    [503, 'SIGN_SERVICE_FAILED'],
    [302, 'SIGN_SERVICE_ANSWER'],
    [200, 'TRUST_JSON_INVALID'],
  ])('is not made from the answer %d', async (status, code) => {
    served.override = () => new Response('<html>', { status })
    await expect(trustInstance(context, options)).rejects.toThrowCode(code)
    served.override = () => undefined
    await expect(instanceUrl(context, {})).rejects.toThrowCode('CLI_NO_INSTANCE')
  })

  it('is refused once the root has changed, with both fingerprints and the way out', async () => {
    await trustInstance(context, options)
    changeRoot()
    const error: unknown = await trustCurrentInstance(context, options).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'CLI_TRUST_CHANGED',
      details: {
        expected: `sha256:${new ServedInstance(instance).fingerprint}`,
        found: `sha256:${other.fingerprint}`,
        hint: expect.stringContaining(`--replace sha256:${other.fingerprint}`),
      },
    })
    await expect(useInstance(context, INSTANCE_URL, {})).rejects.toThrowCode('CLI_TRUST_CHANGED')
    await expect(useInstance(context, INSTANCE_URL, { replace: 'sha256:00' })).rejects.toThrowCode('CLI_TRUST_CHANGED')
    // Verification goes on with the root that is trusted.
    await expect(trustInstance(context, options)).resolves.toMatchObject({
      fingerprint: new ServedInstance(instance).fingerprint,
    })
  })

  it.each(['sha256:', '', 'SHA256:'])('is replaced when the new fingerprint is named (%s)', async (prefix) => {
    await trustInstance(context, options)
    changeRoot()
    const replace = `${prefix}${prefix === 'SHA256:' ? other.fingerprint.toUpperCase() : other.fingerprint}`
    await expect(useInstance(context, INSTANCE_URL, { replace })).resolves.toMatchObject({ was: 'replaced' })
    await expect(trustInstance(context, options)).resolves.toMatchObject({ fingerprint: other.fingerprint })
  })

  it('takes the newest addresses of services under the same root', async () => {
    const { config } = await trustInstance(context, options)
    const moved = config.signingConfig.caUrls.map((service) => ({ ...service, url: 'https://moved.example.com' }))
    const text = encodeClientTrustConfig({ ...config, signingConfig: { ...config.signingConfig, caUrls: moved } })
    served.override = () => new Response(text)
    const current = await trustCurrentInstance(context, options)
    expect(current.config.signingConfig.caUrls[0]!.url).toBe('https://moved.example.com')
  })

  it('is refused under another fingerprint than the one given, and then nothing is kept', async () => {
    const pin = { ...options, rootFingerprint: `sha256:${other.fingerprint}` }
    await expect(trustInstance(context, pin)).rejects.toThrowCode('CLI_FINGERPRINT_MISMATCH')
    await expect(trustCurrentInstance(context, pin)).rejects.toThrowCode('CLI_FINGERPRINT_MISMATCH')
    await expect(useInstance(context, INSTANCE_URL, pin)).rejects.toThrowCode('CLI_FINGERPRINT_MISMATCH')
    expect(() => readdirSync(context.home)).toThrow()
    await trustInstance(context, options)
    await expect(trustInstance(context, pin)).rejects.toThrowCode('CLI_FINGERPRINT_MISMATCH')
    await expect(trustCurrentInstance(context, pin)).rejects.toThrowCode('CLI_FINGERPRINT_MISMATCH')
  })

  it('takes the fingerprint from the environment too; an empty flag is no fingerprint', async () => {
    const pinned = { ...context, environment: { TOUCHMARK_ROOT_FINGERPRINT: other.fingerprint } }
    await expect(trustInstance(pinned, options)).rejects.toThrowCode('CLI_FINGERPRINT_MISMATCH')
    await expect(trustInstance(context, { ...options, rootFingerprint: '' })).rejects.toThrowCode(
      'CLI_FINGERPRINT_MISMATCH',
    )
    const empty = { ...context, environment: { TOUCHMARK_ROOT_FINGERPRINT: '' } }
    await expect(trustInstance(empty, { ...options, rootFingerprint: served.fingerprint })).resolves.toBeDefined()
  })

  it('is not made anew when what is stored is damaged', async () => {
    await trustInstance(context, options)
    const folder = join(context.home, 'instances')
    const file = join(folder, readdirSync(folder)[0]!)
    await writeFile(file, (await readFile(file, 'utf8')).slice(0, 100))
    await expect(trustInstance(context, options)).rejects.toThrowCode('CLI_TRUST_UNKNOWN')
    await expect(trustCurrentInstance(context, options)).rejects.toThrowCode('CLI_TRUST_UNKNOWN')
  })
})

describe('touchmark trust use', () => {
  it.each<[string, (url: string) => Promise<void>, string]>([
    ['a first use', async () => undefined, 'compare the fingerprint'],
    ['the same root', async (url) => void (await useInstance(context, url, {})), 'trusted before'],
  ])('says what it did at %s', async (_name, before, words) => {
    await before(INSTANCE_URL)
    await trustUse(context, `${INSTANCE_URL}/`, {})
    expect(context.said.out).toContain(words)
    expect(context.said.out).toContain(served.fingerprint)
    await expect(instanceUrl(context, {})).resolves.toBe(INSTANCE_URL)
  })

  it('says that another root was forgotten', async () => {
    await useInstance(context, INSTANCE_URL, {})
    changeRoot()
    await trustUse(context, INSTANCE_URL, { replace: other.fingerprint })
    expect(context.said.out).toContain('forgotten')
  })
})

describe('trustedRootFile', () => {
  it('reads a root, of the fingerprint given', async () => {
    const file = join(context.folder, 'root.json')
    await writeFile(file, encodeTrustedRoot(instance.trustedRoot))
    await expect(
      trustedRootFile(context, file, { rootFingerprint: `sha256:${served.fingerprint}` }),
    ).resolves.toBeDefined()
    await expect(trustedRootFile(context, file, {})).resolves.toBeDefined()
    for (const pin of [other.fingerprint, ''])
      await expect(trustedRootFile(context, file, { rootFingerprint: pin })).rejects.toThrowCode(
        'CLI_FINGERPRINT_MISMATCH',
      )
    await writeFile(file, '{}')
    await expect(trustedRootFile(context, file, {})).rejects.toThrowCode('TRUST_MEDIA_TYPE_UNSUPPORTED')
    await writeFile(file, 'none')
    await expect(trustedRootFile(context, file, {})).rejects.toMatchObject({
      code: 'TRUST_JSON_INVALID',
      message: expect.stringContaining(`${file} is of no use as a trusted root`),
      details: { hint: expect.stringContaining('touchmark trust show --raw') },
    })
    await expect(trustedRootFile(context, join(context.folder, 'none'), {})).rejects.toThrowCode('CLI_FILE_UNREADABLE')
  })

  it('is held against TOUCHMARK_ROOT_FINGERPRINT too, unless the flag names another', async () => {
    const file = join(context.folder, 'root.json')
    await writeFile(file, encodeTrustedRoot(instance.trustedRoot))
    const pinned = { ...context, environment: { TOUCHMARK_ROOT_FINGERPRINT: other.fingerprint } }
    await expect(trustedRootFile(pinned, file, {})).rejects.toThrowCode('CLI_FINGERPRINT_MISMATCH')
    await expect(trustedRootFile(pinned, file, { rootFingerprint: served.fingerprint })).resolves.toBeDefined()
    const empty = { ...context, environment: { TOUCHMARK_ROOT_FINGERPRINT: '' } }
    await expect(trustedRootFile(empty, file, {})).resolves.toBeDefined()
  })
})
