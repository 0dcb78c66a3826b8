import { describe, expect, it } from '@jest/globals'
import type { Log, LogKind } from '@touchmark/ledger'
import {
  certificateLogApi,
  checkpointApi,
  entriesApi,
  LogModule,
  oneLog,
  RefusalPace,
  tilesApi,
  type Validation,
} from './index.js'

const common = { refusals: new RefusalPace(), validation: {} as Validation }
const logOf = (kind: LogKind): Log => ({ kind }) as unknown as Log

describe('LogModule.register', () => {
  it('refuses a log of another kind than the API it is for', () => {
    expect(() => LogModule.register({ logs: oneLog(logOf('certificate')), ...common })).toThrow(TypeError)
    const certificateLog = { log: logOf('signature-v2'), roots: [] }
    expect(() => LogModule.register({ logs: oneLog(logOf('signature-v2')), certificateLog, ...common })).toThrow(
      TypeError,
    )
  })

  it('serves the certificate log only where there is one', () => {
    const logs = oneLog(logOf('signature-v2'))
    expect(LogModule.register({ logs, ...common }).controllers).toHaveLength(2)
    const certificateLog = { log: logOf('certificate'), roots: [] }
    expect(LogModule.register({ logs, certificateLog, ...common }).controllers).toHaveLength(3)
  })

  it('names routes that do not overlap, and no prefix of another API', () => {
    const prefixes = [entriesApi, checkpointApi, tilesApi, certificateLogApi].map((shape) => shape.prefix)
    expect(prefixes).toEqual(['/api/v2/log', '/api/v2/checkpoint', '/api/v2/tile', '/ct'])
  })
})
