import cluster from 'node:cluster'
import { expect, it } from '@jest/globals'
import type { StandaloneConfig } from '../config/options.js'
import { WorkerProcess } from './worker-process.js'

it('a process that cannot be made has ended: its seat is not waited for', async () => {
  cluster.setupPrimary({ cwd: '/there is no such folder' })
  const worker = new WorkerProcess({ config: {} as StandaloneConfig, poolSize: 1, housekeeper: false })
  const how: unknown = expect.stringContaining('could not be started')
  expect(await worker.ended).toEqual({ servedMs: undefined, refusal: undefined, how })
  await expect(worker.serving).rejects.toThrow('before it served')
  await worker.stop(0)
})
