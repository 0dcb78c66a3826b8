import { existsSync, readFileSync, rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { removeEmbeddedPostgres } from '@touchmark/postgres'
import { writeEntry, type Acknowledged } from '../support/log-writer.js'
import { readWholeLog } from '../support/read-log.js'
import { freePort, startStack, type StackProcess } from '../support/stack.js'

/** `npm run test:fault` sets 100 and more; the default is the short form of every run. */
const KILLS = Number(process.env['TOUCHMARK_KILLS'] ?? 6)
const WRITERS = 8

/** The postmaster of the embedded server, wherever its cluster lies. */
function postmasterPid(data: string): number {
  const pointer = join(data, 'postgres', 'location.json')
  const place = existsSync(pointer)
    ? (JSON.parse(readFileSync(pointer, 'utf8')) as { place: string }).place
    : join(data, 'postgres')
  const pid = join(place, 'cluster', 'data', 'postmaster.pid')
  return Number(readFileSync(pid, 'utf8').split('\n', 1)[0])
}

function startWriters(url: string, acknowledged: Acknowledged[]): { stop(): Promise<void> } {
  let running = true
  const writer = async (): Promise<void> => {
    while (running) {
      const entry = await writeEntry(url)
      if (entry !== undefined) acknowledged.push(entry)
      else await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const writers = Array.from({ length: WRITERS }, writer)
  return {
    stop: async () => {
      running = false
      await Promise.all(writers)
    },
  }
}

describe('kill -9 under load', () => {
  let folder: string
  let data: string
  let port: number
  let stack: StackProcess | undefined
  const acknowledged: Acknowledged[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'touchmark-kill-'))
    data = join(folder, 'data')
    port = await freePort()
  })

  afterAll(async () => {
    await stack?.stop()
    await removeEmbeddedPostgres(join(data, 'postgres'))
    rmSync(folder, { recursive: true, force: true })
  })

  it(
    `C2, F1: the whole stack loses no acknowledged entry, never forks and keeps its keys over ${KILLS} kills`,
    async () => {
      let trust: string | undefined
      let killedServers = 0
      for (let kill = 0; kill <= KILLS; kill++) {
        stack = await startStack({ port, data })
        const served = await (await fetch(`${stack.url}/trust/trusted_root.json`)).text()
        expect(served).toBe((trust ??= served))
        if (kill === KILLS) break
        const writers = startWriters(stack.url, acknowledged)
        try {
          await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 900))
          // In every other case its PostgreSQL dies in the same moment.
          if (kill % 2 === 1) {
            process.kill(postmasterPid(data), 'SIGKILL')
            killedServers++
          }
          await stack.kill()
        } finally {
          await writers.stop()
        }
        if (KILLS >= 20)
          process.stderr.write(`kill ${kill + 1} of ${KILLS}: ${acknowledged.length} entries acknowledged so far\n`)
      }
      const log = await readWholeLog(stack!.url)
      const lost = acknowledged.filter(({ index, leafHash }) => log.leafHashes[Number(index)] !== leafHash)
      const forked = acknowledged.filter(({ size, rootHash }) => log.rootAt(size) !== rootHash)
      process.stderr.write(
        `kills ${KILLS} (${killedServers} with PostgreSQL), acknowledged ${acknowledged.length}, lost ${lost.length}, forks ${forked.length}\n`,
      )
      expect(acknowledged.length).toBeGreaterThan(KILLS)
      expect(lost).toEqual([])
      expect(forked).toEqual([])
      expect(new Set(acknowledged.map(({ index }) => index)).size).toBe(acknowledged.length)
      if (KILLS >= 2) expect(killedServers).toBeGreaterThan(0)
      expect(readFileSync(join(data, 'passphrase'), 'utf8').length).toBeGreaterThan(20)
    },
    120_000 + KILLS * 15_000,
  )
})
