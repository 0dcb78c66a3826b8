import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { nodeCrypto } from '@touchmark/crypto/node'
import { pemEncode } from '@touchmark/encoding'
import { createTimestampIssuer } from './issue.js'
import { parseTimestampRequest } from './request.js'
import { makeAuthority } from './testing/authority.js'
import { verifyTimestamp } from './verify.js'

const hasOpenssl = spawnSync('openssl', ['version']).status === 0

describe('openssl ts', () => {
  if (!hasOpenssl) {
    it.skip('openssl is absent: not tried', () => undefined)
    return
  }
  let dir = ''
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'touchmark-ts-'))
    writeFileSync(join(dir, 'data'), 'what was signed')
  })
  afterAll(() => rmSync(dir, { recursive: true }))

  const openssl = (...args: string[]): string => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' }).toString()

  // openssl checks validity against its own clock, so the tokens are of now.
  const now = new Date()
  const dates = { notBefore: new Date(now.getTime() - 86_400_000), notAfter: new Date(now.getTime() + 86_400_000) }
  const keys = [
    ['P-256', 'SHA2_256'],
    ['P-256', 'SHA2_512'],
    ['P-384', 'SHA2_384'],
    ['P-521', 'SHA2_512'],
    ['RSA-2048', 'SHA2_256'],
    ['RSA-4096', 'SHA2_512'],
  ] as const

  it.each(keys)('accepts our tokens of a %s key with %s', async (keyType, hash) => {
    const authority = makeAuthority({ keyType, hash, leaf: dates, intermediate: dates, root: dates })
    const [leaf, intermediate, root] = authority.chain.map(({ der }) => pemEncode('CERTIFICATE', der))
    writeFileSync(join(dir, 'root.pem'), root!)
    writeFileSync(join(dir, 'chain.pem'), leaf! + intermediate!)
    for (const [includeChain, certReq, digest] of [
      [false, false, 'sha256'],
      [false, true, 'sha384'],
      [true, true, 'sha512'],
    ] as const) {
      const issuer = createTimestampIssuer({
        signer: authority.signer,
        chain: authority.chain,
        at: now,
        crypto: nodeCrypto,
        random: (bytes) => new Uint8Array(randomBytes(bytes)),
        includeChain,
      })
      openssl('ts', '-query', '-data', 'data', `-${digest}`, ...(certReq ? ['-cert'] : []), '-out', 'query')
      const request = parseTimestampRequest(new Uint8Array(readFileSync(join(dir, 'query'))))
      const response = await issuer.issue(request, now)
      writeFileSync(join(dir, 'reply'), response)
      const anchors = ['-CAfile', 'root.pem', '-untrusted', 'chain.pem']
      openssl('ts', '-verify', '-in', 'reply', '-queryfile', 'query', ...anchors)
      openssl('ts', '-verify', '-in', 'reply', '-data', 'data', ...anchors)
      expect(openssl('ts', '-reply', '-in', 'reply', '-text')).toMatch(/Status: Granted\.[\s\S]*Accuracy: 0x01 seconds/)
      writeFileSync(join(dir, 'other'), 'something else')
      expect(() => openssl('ts', '-verify', '-in', 'reply', '-data', 'other', ...anchors)).toThrow()
    }
  })

  it('makes tokens that we accept', () => {
    const authority = makeAuthority({ leaf: dates, intermediate: dates, root: dates })
    const [leaf, intermediate, root] = authority.chain.map(({ der }) => pemEncode('CERTIFICATE', der))
    writeFileSync(join(dir, 'leaf.pem'), leaf!)
    writeFileSync(join(dir, 'certs.pem'), intermediate! + root!)
    writeFileSync(join(dir, 'key.pem'), authority.leafKey.privateKey.export({ type: 'pkcs8', format: 'pem' }))
    writeFileSync(join(dir, 'serial'), '01\n')
    const config = `[tsa]\ndefault_tsa=t\n[t]\nserial=serial\ncrypto_device=builtin\nsigner_cert=leaf.pem\nsigner_key=key.pem\ncerts=certs.pem\ndefault_policy=1.2.3.4\ndigests=sha256\nsigner_digest=sha256\nordering=yes\ntsa_name=yes\naccuracy=secs:1,millisecs:500,microsecs:100\nclock_precision_digits=3\ness_cert_id_chain=yes\ness_cert_id_alg=sha256\n`
    writeFileSync(join(dir, 'ts.cnf'), config)
    for (const certReq of [[], ['-cert']]) {
      openssl('ts', '-query', '-data', 'data', '-sha256', ...certReq, '-out', 'query')
      openssl('ts', '-reply', '-config', 'ts.cnf', '-queryfile', 'query', '-out', 'reply')
      const verified = verifyTimestamp({
        response: new Uint8Array(readFileSync(join(dir, 'reply'))),
        message: new TextEncoder().encode('what was signed'),
        authorities: [authority.trusted],
        crypto: nodeCrypto,
      })
      expect(verified.tstInfo).toMatchObject({ ordering: true, accuracy: { seconds: 1n, millis: 500, micros: 100 } })
    }
  })
})
