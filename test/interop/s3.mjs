// Exports of a running log for a CDN: to a folder, and to the S3 of moto, which checks every signature with botocore. The exporter is killed on its way.
// What lies there is read by Tessera's fsck and by ours, as anybody would read it.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, request as httpRequest } from 'node:http'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { checker } from './checker.mjs'
import { bin, freePort } from './stack.mjs'
import { tesseraAccepts } from './tessera-fsck.mjs'
import { fillLog } from './tools.mjs'
import { verifierKey } from './verifier-key.mjs'

const exec = promisify(execFile)
const BUCKET = 'transparency'
const PREFIX = 'log/2026'

/** A user with a key that may write to one bucket only; printed as JSON. */
const SET_UP = `
import boto3, json, sys
options = dict(endpoint_url=sys.argv[1], region_name='us-east-1', aws_access_key_id='first', aws_secret_access_key='first')
iam = boto3.client('iam', **options)
s3 = boto3.client('s3', **options)
s3.create_bucket(Bucket='${BUCKET}')
public = [{'Effect': 'Allow', 'Principal': '*', 'Action': 's3:GetObject', 'Resource': 'arn:aws:s3:::${BUCKET}/*'}]
s3.put_bucket_policy(Bucket='${BUCKET}', Policy=json.dumps({'Version': '2012-10-17', 'Statement': public}))
iam.create_user(UserName='exporter')
allowed = [{'Effect': 'Allow', 'Action': ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], 'Resource': 'arn:aws:s3:::${BUCKET}/*'},
           {'Effect': 'Allow', 'Action': ['s3:ListBucket'], 'Resource': 'arn:aws:s3:::${BUCKET}'}]
iam.put_user_policy(UserName='exporter', PolicyName='export', PolicyDocument=json.dumps({'Version': '2012-10-17', 'Statement': allowed}))
key = iam.create_access_key(UserName='exporter')['AccessKey']
print(json.dumps({'AWS_ACCESS_KEY_ID': key['AccessKeyId'], 'AWS_SECRET_ACCESS_KEY': key['SecretAccessKey']}))
`

async function startMoto(program) {
  const port = await freePort()
  const child = spawn(program, ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' })
  const url = `http://127.0.0.1:${port}`
  for (let tries = 0; ; tries++) {
    if ((await fetch(`${url}/moto-api/`).catch(() => undefined))?.ok) break
    if (tries === 300 || child.exitCode !== null) throw new Error('moto does not start')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const { stdout } = await exec(join(dirname(program), 'python'), ['-c', SET_UP, url])
  /** Requests that moto lets through without looking at who sends them; then it looks at every one. */
  const setFree = (count) => fetch(`${url}/moto-api/reset-auth`, { method: 'POST', body: String(count) })
  return {
    url,
    keys: JSON.parse(stdout),
    closed: () => setFree(0),
    open: () => setFree(1e9),
    stop: async () => {
      child.kill('SIGTERM')
      if (child.exitCode === null) await once(child, 'exit')
    },
  }
}

/** Passes requests on to moto as they are; `hold` tells which is kept back for ever. */
async function startProxy(moto) {
  const proxy = { hold: () => false, held: () => undefined, url: '' }
  const server = createServer((incoming, outgoing) => {
    if (proxy.hold(incoming)) return proxy.held()
    const { method, url: path, headers } = incoming
    const passed = httpRequest(`${moto.url}${path}`, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers)
      answer.pipe(outgoing)
    })
    passed.on('error', () => outgoing.destroy())
    incoming.on('close', () => incoming.complete || passed.destroy())
    incoming.pipe(passed)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  proxy.url = `http://127.0.0.1:${server.address().port}`
  proxy.stop = () => {
    server.closeAllConnections()
    server.close()
  }
  return proxy
}

/** Kills the exporter, as the kernel would, when the second file that it writes is on its way: one file further each time. False when it ended before. */
async function killAtSecond(proxy, args, environment) {
  let puts = 0
  proxy.hold = ({ method, url }) => method === 'PUT' && !url.endsWith('/.touchmark-export') && ++puts === 2
  const child = spawn(process.execPath, [bin, ...args, '--connections', '1'], { env: environment, stdio: 'ignore' })
  const exited = once(child, 'exit')
  const held = new Promise((resolve) => (proxy.held = () => resolve(true)))
  const killed = await Promise.race([held, exited.then(() => false)])
  child.kill('SIGKILL')
  const [code] = await exited
  proxy.hold = () => false
  if (!killed && code !== 0) throw new Error(`the exporter ended with ${code}`)
  return killed
}

export async function testExports({ stack, found, folder, report }) {
  if (!found.fsck || !found.moto) return
  console.log('\nexports')
  const check = checker(report)
  const log = JSON.parse(readFileSync(stack.root, 'utf8')).tlogs.at(-1)
  const key = join(folder, 'exported.vkey')
  const spki = Buffer.from(log.publicKey.rawBytes, 'base64')
  writeFileSync(key, `${verifierKey(new URL(stack.url).hostname, spki)}\n`)
  const accepts = (url) => tesseraAccepts(found.fsck, key, url)

  await fillLog(stack, 300)
  const copy = join(folder, 'exported')
  await check('an export to a folder, again after more entries', async () => {
    await stack.touchmark('log', 'export', '--to', copy)
    await fillLog(stack, 300)
    const { stdout } = await stack.touchmark('--json', 'log', 'export', '--to', copy)
    const { before, size } = JSON.parse(stdout)
    if (!(BigInt(size) >= BigInt(before) + 300n)) throw new Error(stdout)
  })
  await check("Tessera's fsck accepts the folder, and not with one bit changed", async () => {
    await accepts(`file://${copy}/`)
    const partial = readdirSync(join(copy, 'tile', 'entries'), { recursive: true }).find((name) =>
      /\.p[\\/]/.test(name),
    )
    const tile = join(copy, 'tile', 'entries', partial)
    const bytes = readFileSync(tile)
    writeFileSync(tile, bytes.with(100, bytes[100] ^ 1))
    const accepted = await accepts(`file://${copy}/`).catch(() => undefined)
    writeFileSync(tile, bytes)
    if (accepted !== undefined) throw new Error('fsck accepted a changed entry')
  })

  const moto = await startMoto(found.moto)
  const proxy = await startProxy(moto)
  const environment = { ...stack.environment, ...moto.keys }
  const to = `s3://${BUCKET}/${PREFIX}`
  const args = ['log', 'export', '--to', to, '--endpoint', proxy.url, '--region', 'us-east-1']
  const touchmark = (...rest) => exec(process.execPath, [bin, ...rest], { env: environment, maxBuffer: 16 << 20 })
  const place = `${moto.url}/${BUCKET}/${PREFIX}`
  const sizeThere = async () => {
    const answer = await fetch(`${place}/checkpoint`)
    return answer.status === 404 ? undefined : BigInt((await answer.text()).split('\n')[1])
  }
  /** The bucket is closed to everybody else while the exporter works, and read by anybody afterwards. */
  const exported = async (work) => {
    await moto.closed()
    try {
      return await work()
    } finally {
      await moto.open()
    }
  }
  /** Exports, killed at one file after the other, until a run ends by itself; `between` looks at the bucket after each kill. */
  const untilDone = async (between) => {
    for (let kills = 0; kills < 40; kills++) {
      if (!(await exported(() => killAtSecond(proxy, args, environment)))) return kills
      await between()
    }
    throw new Error('it comes no further')
  }
  try {
    await check('the first export, killed at every file: no checkpoint until the end', async () => {
      const kills = await untilDone(async () => {
        if ((await sizeThere()) !== undefined) throw new Error('a checkpoint was there before its tiles')
      })
      if (kills < 5 || (await sizeThere()) === undefined) throw new Error(`killed ${kills} times`)
    })
    await check("Tessera's fsck accepts the bucket", async () => {
      if ((await accepts(`${place}/`)) !== (await sizeThere())) throw new Error('it checked another size')
    })
    await check('again after more entries, killed at every file: the older log all the while', async () => {
      const before = await sizeThere()
      await fillLog(stack, 300)
      const kills = await untilDone(async () => {
        if ((await sizeThere()) !== before) throw new Error('the checkpoint came before its tiles')
        await touchmark('log', 'fsck', '--url', place)
      })
      if (kills < 3 || !((await sizeThere()) >= before + 300n)) throw new Error(`killed ${kills} times`)
    })
    await check('and once more, not killed, with conditional writes', async () => {
      const before = await sizeThere()
      await fillLog(stack, 50)
      const { stdout } = await exported(() => touchmark('--json', ...args))
      const { guarded, before: from } = JSON.parse(stdout)
      if (guarded !== true || BigInt(from) !== before || !((await sizeThere()) >= before + 50n)) throw new Error(stdout)
    })
    await check("Tessera's fsck and ours accept the bucket after that", async () => {
      await accepts(`${place}/`)
      await touchmark('log', 'fsck', '--url', place)
    })
    await check('objects have the headers of the static reads', async () => {
      for (const [path, type, cache] of [
        ['checkpoint', 'text/plain; charset=utf-8', 'no-cache'],
        ['tile/0/000', 'application/octet-stream', 'max-age=604800,immutable'],
        ['tile/entries/000', 'application/octet-stream', 'max-age=604800,immutable'],
      ]) {
        const { headers } = await fetch(`${place}/${path}`)
        if (headers.get('content-type') !== type || headers.get('cache-control') !== cache)
          throw new Error(`${path}: ${headers.get('content-type')}, ${headers.get('cache-control')}`)
      }
    })
    await check('moto refuses a wrong key, and the key is not shown', async () => {
      const wrong = { ...environment, AWS_SECRET_ACCESS_KEY: 'not-the-secret-of-anybody' }
      const failed = await exported(() =>
        exec(process.execPath, [bin, ...args], { env: wrong }).catch((error) => error),
      )
      const shown = `${failed.stdout}${failed.stderr}`
      if (failed.code !== 8 || !shown.includes('SignatureDoesNotMatch')) throw new Error(shown || 'it was accepted')
      for (const secret of [wrong.AWS_SECRET_ACCESS_KEY, wrong.AWS_ACCESS_KEY_ID])
        if (shown.includes(secret)) throw new Error('a key was shown')
    })
  } finally {
    proxy.stop()
    await moto.stop()
  }
}
