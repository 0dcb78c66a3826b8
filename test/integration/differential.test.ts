import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { Compare } from '../differential/parts/compare.mjs'
import { REASONS } from '../differential/parts/reasons.mjs'

interface Figures {
  cases: number
  agreed: number
  acceptedByAll: number
  refusedByAll: number
  accepted: { ours: number; js: number; go: number }
  reasons: { id: string; js: number; go: number; cases?: string[] }[]
  unexplained: object[]
  faults: object[]
}

function differential(...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const run = spawnSync(process.execPath, ['test/differential/run.mjs', '--no-go', ...args], {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
    maxBuffer: 64 << 20,
  })
  return { code: run.status, stdout: run.stdout, stderr: run.stderr }
}

const figures = (...args: string[]): Figures => JSON.parse(differential('--json', ...args).stdout) as Figures

/** Fewer than in the long form, which is `npm run test:differential`; with sigstore-go they are judged by `npm run test:interop`. */
const CASES = 600

describe('changed bundles, judged by us and by sigstore-js', () => {
  const found = figures('--cases', String(CASES), '--seed', '20261122')

  it('are judged alike, or the table of reasons says who is right', () => {
    expect(found.unexplained).toEqual([])
    expect(found.faults).toEqual([])
    expect(found.cases).toBeGreaterThan(CASES)
  })

  it('are of all sorts: some are accepted by all, most are refused by all, and some reasons are met', () => {
    expect(found.acceptedByAll).toBeGreaterThan(CASES / 20)
    expect(found.refusedByAll).toBeGreaterThan(CASES / 4)
    expect(found.reasons.filter(({ js }) => js > 0).length).toBeGreaterThan(8)
  })

  it('are the same for the same seed, and others for another', () => {
    const accepted = (seed: string): object => {
      const { reasons, accepted, agreed } = figures('--cases', '60', '--seed', seed)
      return { reasons, accepted, agreed }
    }
    const first = accepted('7')
    expect(accepted('7')).toEqual(first)
    expect(accepted('8')).not.toEqual(first)
  }, 120_000)
})

describe('a disagreement without a reason', () => {
  it('ends the run with 1 and is shown', () => {
    const { code, stdout } = differential('--cases', '0', '--without', 'envelope-in-hashedrekord')
    expect(code).toBe(1)
    expect(stdout).toMatch(/NO REASON {2}unchanged clients\/cosign3\.v2\.att: as it is\n {2}touchmark +accept\n/)
  }, 60_000)

  const case0 = { number: 0, name: 'x', subject: 'x', changes: [], bytes: Buffer.from('{}') }
  const accepts = { accepted: true, checks: [] as string[] }
  const refuses = (why: string): object => ({ accepted: false, why, code: why.split(':')[0] })
  const unexplained = (ours: object, go: object): number => {
    const compare = new Compare(REASONS)
    compare.add(case0, { ours, js: ours, go })
    return compare.unexplained.length
  }

  it.each(['failed to verify signature', 'failed to verify log inclusion: signature on checkpoint did not verify', ''])(
    'is what we accept and sigstore-go refuses with "%s"',
    (why) => expect(unexplained(accepts, refuses(why))).toBe(1),
  )

  it.each(['VERIFY_SIGNATURE_INVALID', 'VERIFY_INCLUSION_PROOF', 'VERIFY_CERTIFICATE_EXPIRED', 'VERIFY_SCT_INVALID'])(
    'is what sigstore-go accepts and we refuse with %s',
    (code) => expect(unexplained(refuses(`${code}: why`), accepts)).toBe(1),
  )

  it('is anything that we throw and that has no code', () => {
    const compare = new Compare(REASONS)
    compare.add(case0, { ours: { accepted: false, why: 'TypeError', fault: true }, js: { accepted: false, why: '' } })
    expect(compare.faults).toHaveLength(1)
  })
})

it('has every reason in its document, once, and no other there', () => {
  const page = readFileSync('docs/design/differential.md', 'utf8')
  const documented = [...page.matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map((row) => row[1]!)
  expect(documented.toSorted()).toEqual(REASONS.map(({ id }) => id).toSorted())
  for (const { id, right } of REASONS)
    expect(page).toMatch(new RegExp(`^\\| \`${id}\` \\| [0-9,]+ \\| [0-9,]+ \\| ${right} \\|`, 'm'))
})

it.each([
  [['--cases', 'many'], '--cases is a number'],
  [['--show', 'nothing'], 'there is no reason nothing'],
])('refuses %p', (args, text) => {
  const { code, stderr } = differential(...args)
  expect(code).toBe(2)
  expect(stderr).toContain(text)
})
