// A small load driver over plain sockets, for what the load generator does not speak: API v1, reads, and floods. One request at a time on each connection.
// Run as a process of its own: node raw-load.mjs '{"kind":"v1","url":"http://localhost:8360","clients":100,"seconds":8}'
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'

const HEAD_END = Buffer.from('\r\n\r\n')

function post(host, path, value) {
  const body = JSON.stringify(value)
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}

/** A digest with a signature by a key that is used once. */
function signed() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const data = randomBytes(32)
  return { publicKey, digest: createHash('sha256').update(data).digest(), signature: sign('sha256', data, privateKey) }
}

const REQUESTS = {
  /** Both APIs with the same kind of entry: a digest, a signature and a plain key. */
  v1(host) {
    const { publicKey, digest, signature } = signed()
    const content = Buffer.from(publicKey.export({ type: 'spki', format: 'pem' })).toString('base64')
    const spec = {
      data: { hash: { algorithm: 'sha256', value: digest.toString('hex') } },
      signature: { content: signature.toString('base64'), publicKey: { content } },
    }
    return post(host, '/api/v1/log/entries', { apiVersion: '0.0.1', kind: 'hashedrekord', spec })
  },
  v2(host) {
    const { publicKey, digest, signature } = signed()
    const rawBytes = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
    const verifier = { publicKey: { rawBytes }, keyDetails: 'PKIX_ECDSA_P256_SHA_256' }
    const content = signature.toString('base64')
    const hashedRekordRequestV002 = { digest: digest.toString('base64'), signature: { content, verifier } }
    return post(host, '/api/v2/log/entries', { hashedRekordRequestV002 })
  },
  /** A flood of what is refused: each signature is over another digest than the one beside it. */
  invalid(host) {
    const { publicKey, signature } = signed()
    const rawBytes = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
    const verifier = { publicKey: { rawBytes }, keyDetails: 'PKIX_ECDSA_P256_SHA_256' }
    const hashedRekordRequestV002 = {
      digest: randomBytes(32).toString('base64'),
      signature: { content: signature.toString('base64'), verifier },
    }
    return post(host, '/api/v2/log/entries', { hashedRekordRequestV002 })
  },
  /** The same new entry again and again, and a hundred old ones in turn. */
  duplicate: (host) => REQUESTS.v2(host),
  old: (host) => REQUESTS.v2(host),
  tile: (host) => Buffer.from(`GET /api/v2/tile/0/000 HTTP/1.1\r\nHost: ${host}\r\n\r\n`),
}

/** Takes one answer off the front of `bytes`: its status and how long it is; undefined while it is not whole. */
function answerOf(bytes) {
  const end = bytes.indexOf(HEAD_END)
  if (end < 0) return undefined
  const head = bytes.toString('latin1', 0, end)
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0)
  const total = end + 4 + length
  return bytes.length < total ? undefined : { status: Number(head.slice(9, 12)), total }
}

/** Different requests that are made before the clock starts; those of a flood are sent again and again. */
const REUSED = { tile: 1, duplicate: 1, old: 100, invalid: 500 }
const WANTED = { invalid: [400], duplicate: [201, 503], old: [201, 503] }

async function run({ kind, url, clients, seconds, warmup = 2, prepare = 5_000 * (seconds + warmup) }) {
  const { host, hostname, port } = new URL(url)
  const make = REQUESTS[kind]
  const reused = REUSED[kind]
  const requests = Array.from({ length: reused ?? prepare }, () => make(host))
  const wanted = WANTED[kind] ?? [200, 201]
  const times = []
  let next = 0
  let errors = 0
  let firstError
  const measureFrom = performance.now() + warmup * 1000
  const stopAt = measureFrom + seconds * 1000
  const client = () =>
    new Promise((resolve) => {
      const socket = connect({ host: hostname, port: Number(port), noDelay: true })
      let received = Buffer.alloc(0)
      let began = 0
      const fail = (why) => {
        errors++
        firstError ??= why
      }
      const ask = () => {
        began = performance.now()
        if (began >= stopAt || (reused === undefined && next >= requests.length)) return (socket.end(), resolve())
        socket.write(requests[next++ % requests.length])
      }
      socket.on('connect', ask)
      socket.on('data', (chunk) => {
        received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
        const answer = answerOf(received)
        if (answer === undefined) return
        const now = performance.now()
        if (!wanted.includes(answer.status))
          fail(`answered ${answer.status}: ${received.subarray(0, answer.total).toString().slice(-200)}`)
        else if (began >= measureFrom && now < stopAt) times.push(now - began)
        received = received.subarray(answer.total)
        ask()
      })
      socket.on('error', (error) => (fail(error.message), resolve()))
      socket.on('close', () => resolve())
    })
  await Promise.all(Array.from({ length: clients }, client))
  const measured = (Math.min(performance.now(), stopAt) - measureFrom) / 1000
  times.sort((a, b) => a - b)
  const quantile = (q) => times[Math.floor(q * (times.length - 1))] ?? 0
  return {
    kind,
    clients,
    per_second: times.length / measured,
    p50_ms: quantile(0.5),
    p99_ms: quantile(0.99),
    errors,
    ...(firstError === undefined ? {} : { first_error: firstError }),
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  console.log(JSON.stringify(await run(JSON.parse(process.argv[2]))))
