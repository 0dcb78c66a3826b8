import { describe, expect, it } from '@jest/globals'
import { assertUrl, assertVersion, dataSourceOptions } from './connect.js'

describe('assertVersion', () => {
  it('refuses a server before PostgreSQL 13', () => {
    for (const old of [0, 90_624, 120_022, 129_999]) expect(() => assertVersion(old)).toThrowCode('POSTGRES_TOO_OLD')
    for (const fit of [130_000, 150_018, 180_004]) expect(() => assertVersion(fit)).not.toThrow()
    expect(() => assertVersion(Number.NaN)).toThrowCode('POSTGRES_TOO_OLD')
  })
})

describe('assertUrl', () => {
  it('takes what pg takes', () => {
    for (const url of [
      'postgres://localhost',
      'postgresql://user:pass@host:5433/name?sslmode=verify-full&sslrootcert=/ca.pem',
      'postgresql://user@/name?host=/var/run/postgresql',
      'postgresql:///name?host=/var/run/postgresql',
    ]) {
      expect(() => assertUrl(url)).not.toThrow()
    }
  })

  it('refuses others', () => {
    for (const url of [
      '',
      'localhost',
      'mysql://a@b/c',
      'postgresql:/x',
      'http://a',
      'postgresql://a:b@host:99999/x',
    ]) {
      expect(() => assertUrl(url)).toThrowCode('POSTGRES_URL_INVALID')
    }
  })
})

describe('dataSourceOptions', () => {
  it('bounds every wait', () => {
    const { extra } = dataSourceOptions({ url: 'postgresql://x' })
    expect(extra).toMatchObject({
      connectionTimeoutMillis: 5_000,
      statement_timeout: 30_000,
      query_timeout: 35_000,
      lock_timeout: 15_000,
      idle_in_transaction_session_timeout: 10_000,
      keepAlive: true,
    })
  })
})
