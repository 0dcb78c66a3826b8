import cluster from 'node:cluster'
import { EventEmitter } from 'node:events'
import { expect, it, jest } from '@jest/globals'
import { createLogger } from '@touchmark/service'
import type { StandaloneConfig } from '../config/options.js'
import { Supervisor } from './supervisor.js'

it('a worker that ended and cannot be forked again ends the instance, with the reason', async () => {
  const worker = Object.assign(new EventEmitter(), { id: 1, process: { pid: 1 }, isConnected: () => false })
  const fork = jest
    .spyOn(cluster, 'fork')
    .mockImplementationOnce(() => worker as never)
    .mockImplementation(() => {
      throw new Error('no more processes')
    })
  try {
    const logger = createLogger({ level: 'silent' })
    const supervisor = new Supervisor({ config: {} as StandaloneConfig, workers: 1, logger, ended: () => undefined })
    const starting = supervisor.start()
    worker.emit('message', { kind: 'serving', port: 1, greeting: {} })
    await starting
    worker.emit('exit', 1, null)
    expect((await supervisor.failed).message).toBe('no more processes')
    await supervisor.stop(0)
  } finally {
    fork.mockRestore()
  }
})
