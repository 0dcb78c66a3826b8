import { afterEach, describe, expect, it } from '@jest/globals'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { base64Encode, utf8Encode } from '@touchmark/encoding'
import { canonicalise, parseEntryRequest, ShapeError } from '@touchmark/entry'
import { threadProgram } from '../testing/thread-program.js'
import { errorOf, outcomeOf } from './messages.js'
import { Validation, type ValidationOptions } from './validation.js'

let started: Validation | undefined
afterEach(() => started?.close())

async function start(options?: ValidationOptions): Promise<Validation> {
  return (started = await Validation.start(options))
}

const SILENT = threadProgram('')
const COUNTING = threadProgram('parentPort.postMessage(requests.map(() => ({ result: requests.length })))')

const ANY = utf8Encode('{}')
const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })

async function hashedRekord(text = 'text', signed = text): Promise<Uint8Array> {
  const request = {
    hashedRekordRequestV002: {
      digest: base64Encode(nodeCrypto.hash('SHA2_256', utf8Encode(text))),
      signature: {
        content: base64Encode(await signer.sign(utf8Encode(signed))),
        verifier: {
          publicKey: { rawBytes: base64Encode(signer.publicKey.spki) },
          keyDetails: 'PKIX_ECDSA_P256_SHA_256',
        },
      },
    },
  }
  return utf8Encode(JSON.stringify(request))
}

/** What became of each so far. */
function watch(runs: readonly Promise<unknown>[]): (string | undefined)[] {
  const seen: (string | undefined)[] = runs.map(() => undefined)
  runs.forEach((run, i) => {
    run.then(
      () => (seen[i] = 'done'),
      (error: unknown) => (seen[i] = (error as { code?: string }).code ?? String(error)),
    )
  })
  return seen
}

const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20))

describe('Validation', () => {
  it('gives what the task gives, in the order of asking', async () => {
    const validation = await start()
    const bodies = await Promise.all(['a', 'b', 'c'].map((text) => hashedRekord(text)))
    const order: number[] = []
    const entries = await Promise.all(
      bodies.map((body, i) => validation.run('entry', body).finally(() => order.push(i))),
    )
    expect(entries).toEqual(bodies.map((body) => canonicalise(parseEntryRequest(body), nodeCrypto)))
    expect(order).toEqual([0, 1, 2])
    expect(validation.waiting).toBe(0)
  })

  it('leaves the body with its owner', async () => {
    const body = await hashedRekord()
    const around = new Uint8Array(body.length + 20)
    around.set(body, 10)
    const validation = await start()
    const one = validation.run('entry', around.subarray(10, -10))
    const two = validation.run('entry', around.subarray(10, -10))
    await expect(Promise.all([one, two])).resolves.toHaveLength(2)
    expect(around.subarray(10, -10)).toEqual(body)
  })

  it('does not keep the event loop while it validates', async () => {
    const validation = await start()
    const runs = await Promise.all(Array.from({ length: 100 }, (_, i) => hashedRekord(String(i))))
    let turns = 0
    let busy = true
    const turn = (): void => {
      turns++
      if (busy) setImmediate(turn)
    }
    setImmediate(turn)
    await Promise.all(runs.map((body) => validation.run('entry', body)))
    busy = false
    // A hundred signatures are some 30 ms. On this thread they would be a turn or two.
    expect(turns).toBeGreaterThan(50)
  })

  it('refuses with the error of the task', async () => {
    const validation = await start()
    await expect(validation.run('entry', utf8Encode('{'))).rejects.toThrowCode('ENTRY_JSON_INVALID')
    await expect(validation.run('entry', ANY)).rejects.toThrowCode('ENTRY_KIND_MISSING')
    const forged = await hashedRekord('text', 'another text')
    await expect(validation.run('entry', forged)).rejects.toThrowCode('ENTRY_HASHEDREKORD_INVALID')
    await expect(validation.run('entryShape', await hashedRekord())).resolves.toBeUndefined()
    const shape: unknown = await validation.run('v1Retrieval', new Uint8Array(0)).catch((error: unknown) => error)
    expect(shape).toBeInstanceOf(ShapeError)
    expect(shape).toMatchObject({ code: 'ENTRY_V1_SHAPE', number: 602, byHandler: false })
  })

  it('tells a mistake of ours from a refusal, and goes on', async () => {
    const validation = await start({
      program: threadProgram(`parentPort.postMessage(requests.map(() => ({ bug: 'here' })))`),
    })
    for (let i = 0; i < 2; i++) {
      const error: unknown = await validation.run('entry', ANY).catch((thrown: unknown) => thrown)
      expect(error).not.toHaveProperty('code')
      expect(String(error)).toContain('here')
    }
  })

  it('takes no more than may wait', async () => {
    const validation = await start({ program: SILENT, maxWaiting: 2 })
    const seen = watch([1, 2].map(() => validation.run('entry', ANY)))
    await expect(validation.run('entry', ANY)).rejects.toMatchObject({
      code: 'LEDGER_PUSHBACK',
      details: { retryAfterSeconds: 1 },
    })
    expect([validation.waiting, seen]).toEqual([2, [undefined, undefined]])
  })

  it('takes no more bytes than may wait, but always one', async () => {
    const validation = await start({ program: SILENT, maxWaitingBytes: 100 })
    watch([validation.run('entry', new Uint8Array(200))])
    await expect(validation.run('entry', new Uint8Array(1))).rejects.toThrowCode('LEDGER_PUSHBACK')
    const other = await Validation.start({ program: SILENT, maxWaitingBytes: 100 })
    watch([other.run('entry', new Uint8Array(50)), other.run('entry', new Uint8Array(50))])
    await expect(other.run('entry', new Uint8Array(1))).rejects.toThrowCode('LEDGER_PUSHBACK')
    await other.close()
  })

  it('has room again for what was answered or withdrawn', async () => {
    const leaving = new AbortController()
    const validation = await start({ program: COUNTING, maxWaitingBytes: 100 })
    const left = watch([validation.run('entry', new Uint8Array(100), leaving.signal)])
    leaving.abort()
    for (let i = 0; i < 2; i++) await validation.run('entry', new Uint8Array(100))
    expect(left).toEqual(['LEDGER_CANCELLED'])
  })

  it('hands over a few at a time', async () => {
    const validation = await start({ program: COUNTING })
    const many = await Promise.all(Array.from({ length: 40 }, () => validation.run('entry', ANY) as Promise<unknown>))
    expect(many).toEqual([...Array<number>(32).fill(16), ...Array<number>(8).fill(8)])
    const large = Array.from(
      { length: 3 },
      () => validation.run('entry', new Uint8Array(200 * 1024)) as Promise<unknown>,
    )
    expect(await Promise.all(large)).toEqual([1, 1, 1])
  })

  it.each([
    ['128 requests', 128, 1],
    ['a mebibyte', 2, 600 * 1024],
  ])('is %s ahead, and withdraws only what is not handed over', async (_, ahead, bytes) => {
    const validation = await start({ program: SILENT })
    const leaving = new AbortController()
    const runs = Array.from({ length: ahead + 2 }, () => validation.run('entry', new Uint8Array(bytes), leaving.signal))
    const seen = watch(runs)
    await soon()
    leaving.abort()
    await soon()
    expect(seen).toEqual([...Array<undefined>(ahead).fill(undefined), 'LEDGER_CANCELLED', 'LEDGER_CANCELLED'])
    expect(validation.waiting).toBe(ahead)
  })

  it('takes nothing of a client who has left', async () => {
    const validation = await start({ program: SILENT })
    await expect(validation.run('entry', ANY, AbortSignal.abort())).rejects.toThrowCode('LEDGER_CANCELLED')
    expect(validation.waiting).toBe(0)
  })

  it.each([
    ['is silent', '', 'is silent'],
    ['ends', 'process.exit(3)', 'ended with 3'],
    ['fails', `throw new Error('broken')`, 'failed'],
  ])('is over when the thread %s', async (_, onMessage, why) => {
    const validation = await start({ program: threadProgram(onMessage), watchMs: 20 })
    const seen = watch([validation.run('entry', ANY), validation.run('entry', ANY)])
    await expect(validation.failed).resolves.toMatchObject({
      code: 'LOG_VALIDATION_FAILED',
      message: `the validation thread ${why}`,
    })
    await soon()
    expect(seen).toEqual(['LOG_VALIDATION_FAILED', 'LOG_VALIDATION_FAILED'])
    await expect(validation.run('entry', ANY)).rejects.toThrowCode('LOG_VALIDATION_FAILED')
    expect(validation.waiting).toBe(0)
  })

  it('has patience with a thread that has nothing to do, and with one that answers slowly', async () => {
    const slow = threadProgram('setTimeout(() => parentPort.postMessage(requests.map(() => ({ result: 1 }))), 350)')
    const validation = await start({ program: slow, watchMs: 300 })
    const over = watch([validation.failed])
    for (let i = 0; i < 3; i++) await validation.run('entry', ANY)
    const idle = await Validation.start({ program: SILENT, watchMs: 1 })
    const idleOver = watch([idle.failed])
    await soon()
    await idle.close()
    expect([...over, ...idleOver]).toEqual([undefined, undefined])
  })

  it('refuses a request that the thread leaves out', async () => {
    const validation = await start({ program: threadProgram('parentPort.postMessage([])') })
    await expect(validation.run('entry', ANY)).rejects.toThrow('left a request out')
  })

  it.each([
    ['does not load', `throw new Error('broken')`],
    ['ends', `import { exit } from 'node:process'\nexit(0)`],
    ['says something else', `import { parentPort } from 'node:worker_threads'\nparentPort.postMessage('hello')`],
  ])('does not start with a thread that %s', async (_, text) => {
    const url = new URL(`data:text/javascript,${encodeURIComponent(text)}`)
    await expect(Validation.start({ program: url })).rejects.toThrowCode('LOG_VALIDATION_FAILED')
  })

  it('refuses those who wait when it is closed, and is not over for it', async () => {
    const validation = await start({ program: SILENT })
    const seen = watch([validation.run('entry', ANY), validation.failed])
    await validation.close()
    await soon()
    expect(seen).toEqual(['LEDGER_CLOSED', undefined])
    await expect(validation.run('entry', ANY)).rejects.toThrowCode('LEDGER_CLOSED')
  })
})

describe('outcomeOf', () => {
  it('carries everything of a refusal that is answered', () => {
    const refusal = new ShapeError(605, 'text', { byHandler: true })
    const outcome = outcomeOf(() => {
      throw refusal
    })
    const { code, message, number, byHandler } = refusal
    expect('refusal' in outcome && errorOf(outcome.refusal)).toMatchObject({ code, message, number, byHandler })
  })

  it('takes every other error for a mistake of ours, with its stack', () => {
    const outcome = outcomeOf(() => (undefined as unknown as string).length)
    expect(outcome).toEqual({ bug: expect.stringContaining('validation.spec') })
  })
})
