import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { testContext, type TestContext } from '../testing/context.js'
import { unsignedToken } from '../testing/provider.js'
import { AMBIENT_PROVIDERS, findAmbient, type AmbientFound } from './find-ambient.js'
import { gitlabVariable } from './gitlab.js'
import type { AmbientOutside } from './provider.js'
import { runTool } from './run-tool.js'

const token = (aud: unknown = 'sigstore'): string => unsignedToken({ iss: 'https://ci.example.com', sub: 'job-1', aud })

let context: TestContext
let environment: NodeJS.ProcessEnv
beforeEach(async () => {
  environment = {}
  context = await testContext({ environment })
})
afterEach(() => context.remove())

const outside = (): AmbientOutside => ({ environment, http: context.http, places: context.ambientPlaces! })
const find = (audience = 'sigstore', chosen?: string): Promise<AmbientFound> => findAmbient(outside(), audience, chosen)
async function file(name: string, text: string): Promise<string> {
  const path = join(context.folder, name)
  await writeFile(path, text)
  return path
}
/** Puts a program into a PATH that holds nothing else. */
async function tool(name: string, script: string): Promise<void> {
  const folder = join(context.folder, 'tools')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`)
  await chmod(join(folder, name), 0o755)
  environment['PATH'] = folder
}

const FILES: [name: string, variable: string][] = [
  ['kubernetes', 'TOUCHMARK_TOKEN_FILE'],
  ['spiffe', 'TOUCHMARK_SPIFFE_JWT_FILE'],
  ['aws', 'AWS_WEB_IDENTITY_TOKEN_FILE'],
  ['azure', 'AZURE_FEDERATED_TOKEN_FILE'],
]

describe.each(FILES)('%s', (name, variable) => {
  it('gives the token in its file, read anew each time', async () => {
    environment[variable] = await file('token', `${token(['other', 'sigstore'])}\n`)
    await expect(find()).resolves.toMatchObject({ found: { provider: name, token: token(['other', 'sigstore']) } })
    await file('token', token())
    await expect(find()).resolves.toMatchObject({ found: { token: token() } })
  })

  it.each([
    ['for another service', token('sts.amazonaws.com')],
    ['without audience', unsignedToken({ iss: 'x', sub: 'y' })],
    ['that is no JWT', 'hello'],
    ['that is empty', ''],
    ['that is too large', `${token()}${'x'.repeat(64 * 1024)}`],
  ])('leaves a token alone %s', async (_what, text) => {
    environment[variable] = await file('token', text)
    const { found, lacking } = await find()
    expect(found).toBeUndefined()
    expect(lacking).toEqual([{ provider: name, what: expect.any(String), hint: expect.stringContaining('sigstore') }])
    expect(JSON.stringify(lacking)).not.toContain(text.split('.')[1] || 'nothing')
    await expect(find('sigstore', name)).rejects.toThrowCode('CLI_AMBIENT_ABSENT')
  })

  it('says that there is no file, or that it cannot be read', async () => {
    environment[variable] = join(context.folder, 'none')
    await expect(find()).resolves.toMatchObject({ lacking: [{ provider: name }] })
    environment[variable] = context.folder
    await expect(find()).resolves.toMatchObject({ lacking: [{ provider: name }] })
  })
})

describe('kubernetes', () => {
  it('finds the token where cosign looks for it', async () => {
    await writeFile(context.ambientPlaces!.projectedToken, token())
    await expect(find()).resolves.toMatchObject({ found: { provider: 'kubernetes', token: token() } })
  })
})

describe('spiffe', () => {
  it('says that it does not speak to the Workload API', async () => {
    environment['SPIFFE_ENDPOINT_SOCKET'] = 'unix:///run/spire/agent.sock'
    await expect(find()).resolves.toMatchObject({
      lacking: [{ provider: 'spiffe', hint: expect.stringContaining('spiffe-helper') }],
    })
  })
})

describe('gitlab', () => {
  it('takes the variable that the job named after the audience', async () => {
    environment['GITLAB_CI'] = 'true'
    environment['SIGSTORE_ID_TOKEN'] = `${token()}\n`
    environment['HTTPS___CA_EXAMPLE_COM_ID_TOKEN'] = token('https://ca.example.com')
    await expect(find()).resolves.toMatchObject({ found: { provider: 'gitlab', token: token() } })
    await expect(find('https://ca.example.com')).resolves.toMatchObject({ found: { provider: 'gitlab' } })
  })

  it('says what the job lacks', async () => {
    environment['GITLAB_CI'] = 'true'
    await expect(find()).resolves.toMatchObject({
      lacking: [{ hint: expect.stringContaining('SIGSTORE_ID_TOKEN: {aud: sigstore}') }],
    })
  })

  it('makes a name of any audience that a variable can have', () => {
    expect([gitlabVariable('sigstore'), gitlabVariable('http://test.audience'), gitlabVariable('1x')]).toEqual([
      'SIGSTORE_ID_TOKEN',
      'HTTP___TEST_AUDIENCE_ID_TOKEN',
      '_X_ID_TOKEN',
    ])
    fc.assert(fc.property(fc.string(), (audience) => expect(gitlabVariable(audience)).toMatch(/^[A-Z_][A-Z0-9_]*$/)))
  })
})

describe('github-actions', () => {
  it('says that the job has no permission', async () => {
    environment['GITHUB_ACTIONS'] = 'true'
    environment['ACTIONS_ID_TOKEN_REQUEST_URL'] = 'https://x.example.com'
    await expect(find()).resolves.toMatchObject({
      lacking: [{ provider: 'github-actions', hint: expect.stringContaining('id-token: write') }],
    })
    environment['GITHUB_ACTIONS'] = 'false'
    await expect(find()).resolves.toEqual({ lacking: [] })
  })
})

describe('circleci', () => {
  it('takes the token of the job when it is for us, and asks no tool then', async () => {
    environment['CIRCLECI'] = 'true'
    environment['CIRCLE_OIDC_TOKEN_V2'] = token()
    await expect(find()).resolves.toMatchObject({ found: { provider: 'circleci', token: token() } })
  })

  it('has the tool make one when the token of the job names the organization', async () => {
    environment['CIRCLECI'] = 'true'
    environment['CIRCLE_OIDC_TOKEN_V2'] = token('organization')
    await expect(find()).resolves.toMatchObject({ lacking: [{ provider: 'circleci' }] })
    await tool('circleci', `[ "$*" = 'run oidc get --claims {"aud":"sigstore"} --root-issuer' ] && echo '${token()}'`)
    await expect(find()).resolves.toMatchObject({ found: { provider: 'circleci', token: token() } })
  })
})

describe('buildkite-agent', () => {
  it('asks the command of the agent where the job has no token of it', async () => {
    environment['BUILDKITE'] = 'true'
    await expect(find()).resolves.toMatchObject({ lacking: [{ provider: 'buildkite-agent' }] })
    await tool('buildkite-agent', `[ "$*" = 'oidc request-token --audience sigstore' ] && echo '${token()}'`)
    await expect(find()).resolves.toMatchObject({ found: { provider: 'buildkite-agent', token: token() } })
  })

  it.each([
    ['fails', 'echo "no such \u001b[31mjob" >&2; exit 3'],
    ['prints something else', 'echo hello'],
    ['prints nothing', 'true'],
    ['prints too much', 'while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done'],
    ['gives a token for somebody else', `echo '${token('other')}'`],
  ])('is refused when it %s', async (_what, script) => {
    environment['BUILDKITE'] = 'true'
    await tool('buildkite-agent', script)
    await expect(find()).rejects.toThrowCode('CLI_AMBIENT_REFUSED')
  })
})

describe('a tool', () => {
  it('is ended when it takes too long, and is handed its arguments as they are', async () => {
    await tool('slow', 'while :; do :; done')
    await expect(runTool('slow', [], outside(), 100)).rejects.toThrowCode('CLI_AMBIENT_REFUSED')
    await tool('says', 'echo "$1"')
    await expect(runTool('says', ['a; echo $(b) "c'], outside())).resolves.toBe('a; echo $(b) "c')
    await expect(runTool('none', [], outside())).rejects.toThrowCode('CLI_AMBIENT_REFUSED')
  })
})

describe('the choice of a system', () => {
  it('is none where nothing is', async () => {
    await expect(find()).resolves.toEqual({ lacking: [] })
  })

  it('is by name, or is refused', async () => {
    environment['GITLAB_CI'] = 'true'
    environment['SIGSTORE_ID_TOKEN'] = token()
    environment['AWS_WEB_IDENTITY_TOKEN_FILE'] = await file('aws', token())
    await expect(find()).resolves.toMatchObject({ found: { provider: 'gitlab' } })
    await expect(find('sigstore', 'aws')).resolves.toMatchObject({ found: { provider: 'aws' } })
    await expect(find('sigstore', 'azure')).rejects.toThrowCode('CLI_AMBIENT_ABSENT')
    await expect(find('sigstore', 'mainframe')).rejects.toThrowCode('CLI_USAGE')
  })

  it('passes over what hands out no token, and remembers it', async () => {
    environment['GITHUB_ACTIONS'] = 'true'
    environment['AWS_WEB_IDENTITY_TOKEN_FILE'] = await file('aws', token('sts.amazonaws.com'))
    environment['AZURE_FEDERATED_TOKEN_FILE'] = await file('azure', token())
    const { found, lacking } = await find()
    expect(found?.provider).toBe('azure')
    expect(lacking.map(({ provider }) => provider)).toEqual(['github-actions', 'aws'])
  })

  it('throws nothing while it looks, whatever the variables hold', async () => {
    const value = fc.oneof(fc.string(), fc.constantFrom('true', '', 'http://[', '\u0000', '/'))
    const variables = fc.record(
      Object.fromEntries(
        [
          'GITHUB_ACTIONS',
          'GITLAB_CI',
          'BUILDKITE',
          'BUILDKITE_JOB_ID',
          'CIRCLECI',
          'CIRCLE_OIDC_TOKEN_V2',
          'PATH',
          ...FILES.map(([, name]) => name),
        ].map((name) => [name, value]),
      ),
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(variables, async (some) => {
        const where = { ...outside(), environment: some as NodeJS.ProcessEnv }
        for (const provider of AMBIENT_PROVIDERS) await provider.detect(where, 'sigstore')
      }),
      { numRuns: 60 },
    )
  })
})
