import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { encodeBundle } from '@touchmark/bundle'
import { generateSigner } from '@touchmark/crypto/node'
import { parseCheckpoint, parseSignedNote, signCheckpoint } from '@touchmark/tlog'
import { encodeTrustedRoot } from '@touchmark/trust'
import { embeddedScts } from '@touchmark/x509'
import { later, NOW, OIDC_ISSUER, SAN, TestInstance } from '../../libs/verify/src/testing/instance.js'
import { form, sign, type SignOptions } from '../../libs/verify/src/testing/signing.js'
import { startTestStack, type TestStack } from '../support/touchmark.js'

/** The parts of a bundle that are cut out and exchanged here. */
interface BundleJson {
  verificationMaterial: {
    certificate: { rawBytes: string }
    tlogEntries: {
      logId: { keyId: string }
      canonicalizedBody: string
      inclusionProof: { rootHash: string; hashes: string[]; treeSize: string; checkpoint: { envelope: string } }
    }[]
    timestampVerificationData?: { rfc3161Timestamps: { signedTimestamp: string }[] }
  }
  messageSignature: { messageDigest: { digest: string }; signature: string }
}

const WHO = 'ada@example.com'
let stack: TestStack
let file: string
let bundle: BundleJson
let other: BundleJson
let instance: TestInstance
let elsewhere: string

beforeAll(async () => {
  stack = await startTestStack()
  file = join(stack.folder, 'artifact.txt')
  const second = join(stack.folder, 'other.txt')
  writeFileSync(file, 'artifact\n')
  writeFileSync(second, 'other\n')
  const token = (await stack.touchmark('token', '--email', WHO)).stdout.trim()
  for (const one of [file, second])
    expect((await stack.touchmark('sign', one, '--identity-token', token)).stderr).not.toContain('touchmark:')
  const read = (path: string): BundleJson => JSON.parse(readFileSync(`${path}.sigstore.json`, 'utf8')) as BundleJson
  bundle = read(file)
  other = read(second)
  instance = await TestInstance.create()
  elsewhere = join(stack.folder, 'elsewhere.json')
  writeFileSync(elsewhere, encodeTrustedRoot(instance.trustedRoot))
}, 120_000)
afterAll(() => stack.remove(), 60_000)

/** A command that must fail: with the exit code, the error's code and a sentence that says what to do, and with nothing else on standard output. */
async function refused(exit: number, code: string, args: string[]): Promise<void> {
  const text = await stack.touchmark('verify', ...args)
  expect([text.code, text.stdout]).toEqual([exit, ''])
  expect(text.stderr).toMatch(new RegExp(`^NOT verified: .*\\n[^]*\\n  do +\\S.*\\n  code +${code}\\n$`))
  const json = await stack.touchmark('verify', ...args, '--json')
  const { verified, files } = JSON.parse(json.stdout) as {
    verified: boolean
    files: { verified: boolean; error: { code: string } }[]
  }
  expect([json.code, json.stderr, verified, files.map((one) => [one.verified, one.error.code])]).toEqual([
    exit,
    '',
    false,
    [[false, code]],
  ])
}

const as = (identity: string, issuer: string): string[] => [
  '--certificate-identity',
  identity,
  '--certificate-oidc-issuer',
  issuer,
]
const right = (): string[] => as(WHO, stack.issuer)
const flip = (base64: string): string => {
  const bytes = Buffer.from(base64, 'base64')
  bytes[0]! ^= 1
  return bytes.toString('base64')
}

it('takes the bundle as it is', async () => {
  expect(await stack.touchmark('verify', file, ...right())).toMatchObject({ code: 0 })
}, 30_000)

describe('what was asked for is refused', () => {
  it.each<[string, number, string, () => string[]]>([
    [
      'a changed artifact',
      3,
      'VERIFY_ARTIFACT_CHANGED',
      () => {
        const changed = join(stack.folder, 'changed.txt')
        writeFileSync(changed, 'artifact!\n')
        return [changed, '--bundle', `${file}.sigstore.json`, ...right()]
      },
    ],
    ['another identity', 4, 'POLICY_IDENTITY_MISMATCH', () => [file, ...as('eve@example.com', stack.issuer)]],
    ['another issuer', 4, 'POLICY_ISSUER_MISMATCH', () => [file, ...as(WHO, 'https://login.example.com')]],
    ["another instance's root", 5, 'VERIFY_OTHER_INSTANCE', () => [file, ...right(), '--trusted-root', elsewhere]],
  ])('%s', async (_name, exit, code, args) => refused(exit, code, args()), 60_000)
})

describe('a bundle is refused', () => {
  const cases: [string, string, (bundle: BundleJson) => void | Promise<void>][] = [
    [
      'without a timestamp',
      'VERIFY_TIME_MISSING',
      ({ verificationMaterial }) => void delete verificationMaterial.timestampVerificationData,
    ],
    [
      'with the timestamp of another signature',
      'VERIFY_TIMESTAMP_OTHER_BYTES',
      ({ verificationMaterial }) => {
        verificationMaterial.timestampVerificationData = other.verificationMaterial.timestampVerificationData!
      },
    ],
    [
      'without a log entry',
      'VERIFY_ENTRY_MISSING',
      ({ verificationMaterial }) => void (verificationMaterial.tlogEntries = []),
    ],
    [
      'with the log entry of another signature',
      'VERIFY_ENTRY_MISMATCH',
      ({ verificationMaterial }) => {
        verificationMaterial.tlogEntries = other.verificationMaterial.tlogEntries
      },
    ],
    [
      'with a wrong root hash',
      'VERIFY_CHECKPOINT_MISMATCH',
      ({
        verificationMaterial: {
          tlogEntries: [entry],
        },
      }) => {
        entry!.inclusionProof.rootHash = flip(entry!.inclusionProof.rootHash)
      },
    ],
    [
      'with a wrong hash in its proof',
      'VERIFY_INCLUSION_PROOF',
      ({
        verificationMaterial: {
          tlogEntries: [entry],
        },
      }) => {
        entry!.inclusionProof.hashes[0] = flip(entry!.inclusionProof.hashes[0]!)
      },
    ],
    [
      'with a checkpoint signed by another key',
      'VERIFY_CHECKPOINT_SIGNATURE',
      async ({
        verificationMaterial: {
          tlogEntries: [entry],
        },
      }) => {
        const { checkpoint } = entry!.inclusionProof
        const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
        const logId = Buffer.from(entry!.logId.keyId, 'base64')
        checkpoint.envelope = await signCheckpoint(
          parseCheckpoint(parseSignedNote(checkpoint.envelope).text),
          logId,
          signer,
        )
      },
    ],
    [
      "with somebody else's certificate",
      'VERIFY_SIGNATURE_INVALID',
      ({ verificationMaterial }) => {
        verificationMaterial.certificate = other.verificationMaterial.certificate
      },
    ],
    [
      "with somebody else's signature",
      'VERIFY_SIGNATURE_INVALID',
      ({ messageSignature }) => {
        messageSignature.signature = other.messageSignature.signature
      },
    ],
    [
      'without an inclusion proof',
      'BUNDLE_VERSION_RULE',
      ({
        verificationMaterial: {
          tlogEntries: [entry],
        },
      }) => {
        delete (entry as { inclusionProof?: unknown }).inclusionProof
      },
    ],
  ]
  it.each(cases)(
    '%s',
    async (name, code, change) => {
      const changed = structuredClone(bundle)
      await change(changed)
      const path = join(stack.folder, `${name.replaceAll(/\W/g, '-')}.json`)
      writeFileSync(path, JSON.stringify(changed))
      if (code.startsWith('BUNDLE_')) {
        const { code: exit, stdout, stderr } = await stack.touchmark('verify', file, '--bundle', path, ...right())
        return expect([exit, stdout, stderr]).toEqual([3, '', expect.stringContaining(code)])
      }
      return refused(3, code, [file, '--bundle', path, ...right()])
    },
    60_000,
  )
})

describe('a bundle that only a dishonest instance can make is refused', () => {
  const message = form('0.3 message, v2')
  it.each<[string, string, () => Promise<Partial<SignOptions>>]>([
    ['without an SCT', 'VERIFY_SCT_MISSING', async () => ({ leaf: { scts: () => [] } })],
    [
      'with the SCT of another certificate',
      'VERIFY_SCT_INVALID',
      async () => {
        const scts = embeddedScts((await sign(instance, { form: message })).certificate)
        return { leaf: { scts: () => scts } }
      },
    ],
    ['signed after its certificate expired', 'VERIFY_CERTIFICATE_EXPIRED', async () => ({ at: later(NOW, 3600) })],
  ])(
    '%s',
    async (_name, code, options) => {
      const signed = await sign(instance, { form: message, ...(await options()) })
      const artifact = join(stack.folder, 'forged.txt')
      writeFileSync(artifact, signed.artifact)
      writeFileSync(`${artifact}.sigstore.json`, encodeBundle(signed.bundle))
      await refused(3, code, [artifact, ...as(SAN.value, OIDC_ISSUER), '--trusted-root', elsewhere])
    },
    60_000,
  )
})

describe('signing is refused', () => {
  it.each<[string, number, string, string[]]>([
    ['with a token that is none', 8, 'CLI_FILE_UNREADABLE', ['--identity-token', 'nonsense']],
    [
      'with a token of nobody',
      6,
      'SIGN_TOKEN_REFUSED',
      [
        '--identity-token',
        `eyJhbGciOiJSUzI1NiJ9.${Buffer.from('{"iss":"https://login.example.com","sub":"x"}').toString('base64url')}.c2ln`,
      ],
    ],
    [
      'with an address that was not verified',
      6,
      'SIGN_EMAIL_NOT_VERIFIED',
      [
        '--identity-token',
        `eyJhbGciOiJSUzI1NiJ9.${Buffer.from('{"iss":"https://x","email":"a@example.com"}').toString('base64url')}.c2ln`,
      ],
    ],
    ['under another fingerprint', 5, 'CLI_FINGERPRINT_MISMATCH', ['--root-fingerprint', 'sha256:00']],
  ])(
    '%s',
    async (_name, exit, code, args) => {
      const fresh = join(stack.folder, 'fresh.txt')
      writeFileSync(fresh, 'fresh\n')
      const { code: status, stdout, stderr } = await stack.touchmark('sign', fresh, ...args)
      expect([status, stdout]).toEqual([exit, ''])
      expect(stderr).toContain(code)
      expect(() => readFileSync(`${fresh}.sigstore.json`)).toThrow()
    },
    30_000,
  )

  it('on a wrong command line, with the usage', async () => {
    for (const args of [
      ['nonsense'],
      ['sign'],
      ['verify', file],
      ['verify', file, '--nonsense'],
      ['up', '--port', '70000'],
      ['log', 'show', 'x'],
    ]) {
      const { code, stdout, stderr } = await stack.touchmark(...args)
      expect([code, stdout]).toEqual([2, ''])
      expect(stderr).not.toBe('')
    }
  }, 30_000)
})
