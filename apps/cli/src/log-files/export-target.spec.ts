import { describe, expect, it } from '@jest/globals'
import { FolderTarget, S3Target } from '@touchmark/audit'
import { systemClock } from '@touchmark/clock'
import { HTTP_DEFAULTS } from '@touchmark/sign'
import type { CliContext } from '../context.js'
import { openExportTarget } from './export-target.js'

const keys = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secretOfNobody' }
const bucket = { to: 's3://my-bucket/log', endpoint: 'https://store.example.com' }

function context(environment: NodeJS.ProcessEnv, fetched: RequestInit[] = []): CliContext {
  return {
    clock: systemClock,
    environment,
    http: {
      ...HTTP_DEFAULTS,
      fetch: (_url, init) => (fetched.push(init), Promise.resolve(new Response(null, { status: 404 }))),
      sleep: () => Promise.resolve(),
      random: () => 0,
    },
    home: '/nowhere',
    json: false,
    interactive: false,
    out: () => undefined,
    err: () => undefined,
  }
}

describe('the target of an export', () => {
  it('is a folder, or a bucket', () => {
    expect(openExportTarget(context({}), { to: '/srv/log' })).toBeInstanceOf(FolderTarget)
    expect(openExportTarget(context(keys), bucket)).toBeInstanceOf(S3Target)
    expect(openExportTarget(context(keys), bucket).name).toBe('s3://my-bucket/log')
  })

  it.each([{ endpoint: 'https://store.example.com' }, { region: 'eu-central-1' }])('is no folder with %j', (flags) => {
    expect(() => openExportTarget(context(keys), { to: '/srv/log', ...flags })).toThrowCode('CLI_USAGE')
  })

  it.each(['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'])('is no bucket without %s', (name) => {
    for (const value of [undefined, '']) {
      expect(() => openExportTarget(context({ ...keys, [name]: value }), bucket)).toThrowCode('CLI_USAGE')
    }
  })

  it.each(['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'])(
    'is no bucket with a line break in %s, which is not shown',
    (name) => {
      expect.assertions(2)
      try {
        openExportTarget(context({ ...keys, [name]: 'hunter2\n' }), bucket)
      } catch (error) {
        expect(error).toHaveProperty('code', 'CLI_USAGE')
        expect(String(error)).not.toContain('hunter2')
      }
    },
  )

  it('takes the session token along', async () => {
    const fetched: RequestInit[] = []
    const target = openExportTarget(context({ ...keys, AWS_SESSION_TOKEN: 'token' }, fetched), bucket)
    expect(await target.has('checkpoint')).toBe(false)
    expect(new Headers(fetched[0]!.headers).get('x-amz-security-token')).toBe('token')
    expect(fetched[0]!.redirect).toBe('manual')
  })

  it('refuses a store without TLS', () => {
    expect(() => openExportTarget(context(keys), { to: bucket.to, endpoint: 'http://store.example.com' })).toThrowCode(
      'AUDIT_TARGET_INVALID',
    )
  })
})
