// Other people's tools look at what we issue: OpenSSL at certificates and timestamps, Tessera's fsck at the tiles of both logs.
import { execFile } from 'node:child_process'
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { auditCertificateLog } from './certificate-log.mjs'
import { checker } from './checker.mjs'
import { tesseraAccepts } from './tessera-fsck.mjs'
import { verifierKey } from './verifier-key.mjs'

const exec = promisify(execFile)

const pem = (label, der) =>
  `-----BEGIN ${label}-----\n${Buffer.from(der, 'base64')
    .toString('base64')
    .match(/.{1,64}/g)
    .join('\n')}\n-----END ${label}-----\n`

/** More than one full tile of entries, so that every kind of tile exists. */
export async function fillLog(stack, count) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const rawBytes = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  const verifier = { publicKey: { rawBytes }, keyDetails: 'PKIX_ECDSA_P256_SHA_256' }
  const one = async () => {
    const data = randomBytes(32)
    const digest = createHash('sha256').update(data).digest('base64')
    const content = sign('sha256', data, privateKey).toString('base64')
    const body = JSON.stringify({ hashedRekordRequestV002: { digest, signature: { content, verifier } } })
    const answer = await fetch(`${stack.url}/api/v2/log/entries`, { method: 'POST', body })
    if (answer.status !== 201) throw new Error(`the log answered ${answer.status}`)
    await answer.arrayBuffer()
  }
  for (let done = 0; done < count; done += 50) await Promise.all(Array.from({ length: 50 }, one))
}

export async function testTools({ stack, found, token, file, folder, report }) {
  console.log('\ntools')
  const check = checker(report)
  const trust = JSON.parse(readFileSync(stack.root, 'utf8'))
  const chainOf = (authority) => authority.certChain.certificates.map(({ rawBytes }) => pem('CERTIFICATE', rawBytes))
  if (found.openssl) {
    const [intermediate, caRoot] = chainOf(trust.certificateAuthorities[0])
    writeFileSync(join(folder, 'ca-root.pem'), caRoot)
    writeFileSync(join(folder, 'ca-intermediate.pem'), intermediate)
    await check('openssl verify accepts a signing certificate', async () => {
      const out = join(folder, 'openssl.json')
      await stack.touchmark('sign', file, '--identity-token', token, '--bundle', out)
      const { verificationMaterial } = JSON.parse(readFileSync(out, 'utf8'))
      writeFileSync(join(folder, 'leaf.pem'), pem('CERTIFICATE', verificationMaterial.certificate.rawBytes))
      const args = [
        'verify',
        '-CAfile',
        join(folder, 'ca-root.pem'),
        '-untrusted',
        join(folder, 'ca-intermediate.pem'),
        '-purpose',
        'any',
        '-x509_strict',
        join(folder, 'leaf.pem'),
      ]
      await exec('openssl', args)
      const { stdout } = await exec('openssl', ['x509', '-in', join(folder, 'leaf.pem'), '-noout', '-text'])
      for (const wanted of [
        'email:dev@example.com',
        'Code Signing',
        'CT Precertificate SCTs',
        '1.3.6.1.4.1.57264.1.8',
      ]) {
        if (!stdout.includes(wanted)) throw new Error(`openssl x509 -text does not show ${wanted}`)
      }
    })
    const [tsaLeaf, tsaRoot] = chainOf(trust.timestampAuthorities[0])
    writeFileSync(join(folder, 'tsa-root.pem'), tsaRoot)
    writeFileSync(join(folder, 'tsa-leaf.pem'), tsaLeaf)
    for (const hash of ['sha256', 'sha384', 'sha512']) {
      for (const withCertificate of [true, false]) {
        await check(
          `openssl ts -verify accepts a ${hash} token ${withCertificate ? 'with' : 'without'} certificate`,
          async () => {
            const query = join(folder, 'query.tsq')
            const answer = join(folder, 'answer.tsr')
            await exec('openssl', [
              'ts',
              '-query',
              '-data',
              file,
              `-${hash}`,
              ...(withCertificate ? ['-cert'] : []),
              '-out',
              query,
            ])
            const response = await fetch(`${stack.url}/api/v1/timestamp`, {
              method: 'POST',
              headers: { 'content-type': 'application/timestamp-query' },
              body: readFileSync(query),
            })
            writeFileSync(answer, Buffer.from(await response.arrayBuffer()))
            await exec('openssl', [
              'ts',
              '-verify',
              '-queryfile',
              query,
              '-in',
              answer,
              '-CAfile',
              join(folder, 'tsa-root.pem'),
              '-untrusted',
              join(folder, 'tsa-leaf.pem'),
            ])
          },
        )
      }
    }
  }
  await check('the certificate log: signed head, every entry proven, @peculiar/x509 reads it', async () => {
    // A few certificates at least, also when no other part has run.
    for (const name of ['one', 'two', 'three'])
      await stack.touchmark('sign', file, '--identity-token', token, '--bundle', join(folder, `audited-${name}.json`))
    await auditCertificateLog(stack, trust)
  })
  if (found.fsck) {
    await fillLog(stack, 600)
    const host = new URL(stack.url).hostname
    const logs = [
      ['signature log', host, trust.tlogs.at(-1), `${stack.url}/api/v2/`],
      ['certificate log', `${host}/ct`, trust.ctlogs[0], `${stack.url}/ct/`],
    ]
    for (const [name, origin, log, url] of logs) {
      await check(`Tessera's fsck accepts the ${name}`, async () => {
        const key = join(folder, 'log.vkey')
        writeFileSync(key, `${verifierKey(origin, Buffer.from(log.publicKey.rawBytes, 'base64'))}\n`)
        await tesseraAccepts(found.fsck, key, url)
      })
    }
  }
}
