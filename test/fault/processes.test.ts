import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { WorkerTree, type Worker } from './support/workers.js'

/** `npm run test:fault` sets minutes for each number of processes; the default is the short form of every run. */
const MINUTES = Number(process.env['TOUCHMARK_FAULT_MINUTES'] ?? 0)
const SECONDS = MINUTES > 0 ? MINUTES * 60 : 8
/** Ten minutes are worth 500 kills at least, so both tests together 1,000; a slow machine takes longer for them. */
const FEWEST_KILLS = Math.floor(MINUTES * 50)

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Kills one worker after the other at random moments, and starts another in its place, until time and kills are enough. */
async function killAtRandom(tree: WorkerTree, processes: number): Promise<number> {
  let started = 0
  const readied = new Set<Worker>()
  const start = (): Worker => {
    const worker = tree.start({ name: `worker ${++started}` })
    worker.ready.then(
      () => readied.add(worker),
      () => undefined,
    )
    return worker
  }
  const workers = Array.from({ length: processes }, start)
  await Promise.all(workers.map(({ ready }) => ready))
  let kills = 0
  for (const end = performance.now() + SECONDS * 1000; performance.now() < end || kills < FEWEST_KILLS;) {
    await pause(20 + Math.random() * 400)
    // Some die while they start: opening a tree must not harm it either.
    const starting = Math.random() < 0.3
    const places = workers.flatMap((worker, place) => (starting || readied.has(worker) ? [place] : []))
    const place = places[Math.floor(Math.random() * places.length)]
    if (place === undefined) continue
    const worker = workers[place]!
    worker.child.kill('SIGKILL')
    // Anything else is a worker that ended by itself: it met what it must not.
    expect(await worker.ended).toMatchObject({ signal: 'SIGKILL' })
    readied.delete(worker)
    workers[place] = start()
    if (++kills % 100 === 0) process.stderr.write(`${processes} processes: ${kills} kills so far\n`)
  }
  await Promise.all(workers.map(({ ready }) => ready))
  await pause(200)
  for (const { child, ended } of workers) {
    child.kill('SIGKILL')
    expect(await ended).toMatchObject({ signal: 'SIGKILL' })
  }
  return kills
}

describe.each([2, 5])('C2: %d processes on one database, killed at random', (processes) => {
  let tree: WorkerTree
  beforeAll(async () => {
    tree = await WorkerTree.create()
  }, 60_000)
  afterAll(() => tree.remove(), 60_000)

  it(
    'C2: no acknowledged entry is lost, no index is given twice, none is left out, and all checkpoints are of one history',
    async () => {
      const kills = await killAtRandom(tree, processes)
      const { size, acknowledged, lost, forks, twice } = await tree.check()
      process.stderr.write(
        `C2: ${processes} processes, kills ${kills}, entries ${size}, acknowledged ${acknowledged}, lost = ${lost.length}, forks = ${forks.length}, indexes given twice = ${twice.length}\n`,
      )
      expect(acknowledged).toBeGreaterThan(kills)
      expect({ lost, forks, twice }).toEqual({ lost: [], forks: [], twice: [] })
    },
    300_000 + SECONDS * 4_000,
  )
})

describe('C7: one entry, a thousand times at the same moment, over 3 processes', () => {
  let tree: WorkerTree
  beforeAll(async () => {
    tree = await WorkerTree.create()
  }, 60_000)
  afterAll(() => tree.remove(), 60_000)

  it('C7: has one index', async () => {
    const workers = [334, 333, 333].map((callers, i) => tree.start({ name: `same ${i}`, same: 'the same', callers }))
    await Promise.all(workers.map(({ ready }) => ready))
    for (const { child } of workers) child.stdin!.write('go\n')
    for (const { ended } of workers) expect(await ended).toMatchObject({ code: 0 })
    const answers = tree.answers()
    expect(answers).toHaveLength(1000)
    expect(new Set(answers.map(({ index }) => index))).toEqual(new Set([1n]))
    expect(await tree.check()).toMatchObject({ size: 2n, lost: [], forks: [], twice: [] })
  }, 60_000)
})

/** Points in the life of an entry, by its steps, and whether the entry is stored when a process dies there; undefined: it may be. */
const STEPS: readonly [string, boolean | undefined][] = [
  ['1 accepted', false],
  ['3 batch taken', false],
  ['3 statements sent', false],
  ['4 row locked', false],
  ['5 known entries looked up', false],
  ['7 before the signature', false],
  ['7 signed', false],
  ['8 before the write', false],
  ['9 written, before COMMIT', false],
  ['9 COMMIT sent', undefined],
  ['9 committed', true],
  ['10 answered', true],
  ['10 answer passed on', true],
]

describe('F1: a process that dies in the life of an entry', () => {
  let tree: WorkerTree
  beforeAll(async () => {
    tree = await WorkerTree.create()
    // The tree's first start is not what is tested here.
    await (await tree.open()).close()
  }, 60_000)
  afterAll(() => tree.remove(), 60_000)

  it.each(STEPS)(
    'F1: at step %s, loses nothing that was acknowledged, and the entry can be sent again',
    async (step, stored) => {
      const name = step.replaceAll(' ', '-')
      const told = tree.answers().length
      expect(await tree.start({ name, dieAt: step }).ended).toMatchObject({ signal: 'SIGKILL' })
      const answers = tree.answers()
      expect(answers.length).toBeGreaterThanOrEqual(told + 3)
      expect(await tree.check()).toMatchObject({ lost: [], forks: [], twice: [] })
      const log = await tree.open()
      try {
        const size = (await log.checkpoint()).size
        const again = await Promise.all(
          [1, 2, 3].map((i) => log.append({ body: new TextEncoder().encode(`victim ${i} ${name}`) })),
        )
        const found = again.filter(({ duplicate }) => duplicate)
        // What was accepted together went into one transaction, or the first alone and the others after it.
        if (stored === false) expect(found).toHaveLength(0)
        if (stored === true) expect(found.length).toBeGreaterThan(0)
        expect((await log.checkpoint()).size).toBe(size + 3n - BigInt(found.length))
      } finally {
        await log.close()
      }
      expect(await tree.check()).toMatchObject({ lost: [], forks: [], twice: [] })
    },
    60_000,
  )
})
