// One process that appends to one tree. The fault tests start it, kill it, and read what it was told.
// Its one argument is JSON: { url, origin, keyFile, answersFile, name, callers, same?, dieAt? }.
import { openSync, readFileSync, writeSync } from 'node:fs'
import { setImmediate } from 'node:timers'
import { TextEncoder } from 'node:util'
import { systemClock } from '@touchmark/clock'
import { signerFromPkcs8 } from '@touchmark/crypto/node'
import { openLog } from '@touchmark/ledger'
import { openDatabase } from '@touchmark/postgres'
import { hookedDatabase } from '../../support/hooked-database.mjs'

const options = JSON.parse(process.argv[2])
const answers = openSync(options.answersFile, 'a')
const real = signerFromPkcs8(new Uint8Array(readFileSync(options.keyFile)))
const bytes = (text) => new TextEncoder().encode(text)

/** Step at which the process kills itself, once it is set. */
let armed
const die = (step) => {
  if (armed === step) process.kill(process.pid, 'SIGKILL')
}
const later = () => new Promise((resolve) => setTimeout(resolve, 30))

const pool = await openDatabase({ url: options.url, poolSize: 3, applicationName: 'touchmark fault test' })
const db = hookedDatabase(pool, async (statement, send) => {
  if (armed === undefined) return send()
  if (statement === 'begin') die('3 batch taken')
  if (statement === 'write') die('8 before the write')
  if (statement === 'commit' && armed === '9 written, before COMMIT') {
    // The write has left before this; the server gets the time to carry it out.
    await later()
    die('9 written, before COMMIT')
  }
  const sent = send()
  if (statement === 'find') die('3 statements sent')
  if (statement === 'commit' && armed === '9 COMMIT sent') setImmediate(() => die('9 COMMIT sent'))
  const result = await sent
  if (statement === 'lock') die('4 row locked')
  if (statement === 'find') die('5 known entries looked up')
  if (statement === 'commit') die('9 committed')
  return result
})
const signer = {
  publicKey: real.publicKey,
  scheme: real.scheme,
  async sign(message) {
    die('7 before the signature')
    const signature = await real.sign(message)
    die('7 signed')
    return signature
  },
}

const log = await openLog({ db, kind: 'signature-v2', origin: options.origin, signer, clock: systemClock })

/** What a caller was told, on record before anything else happens. */
function record({ index, proof }, text) {
  die('10 answered')
  const { size, root, checkpoint } = proof
  const answer = { index: String(index), text, size: String(size), root: Buffer.from(root).toString('hex'), checkpoint }
  writeSync(answers, `${JSON.stringify(answer)}\n`)
  die('10 answer passed on')
}

const PASSING = [
  'LEDGER_UNAVAILABLE',
  'LEDGER_STATE_UNKNOWN',
  'LEDGER_PUSHBACK',
  'POSTGRES_UNAVAILABLE',
  'POSTGRES_BUSY',
]

/** Appends one entry, as often as it takes. */
async function append(text) {
  for (;;) {
    try {
      const appending = log.append({ body: bytes(text) })
      die('1 accepted')
      return record(await appending, text)
    } catch (error) {
      if (!PASSING.includes(error.code)) throw error
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}

async function caller(number) {
  for (let i = 0; ; i++) await append(`${options.name} ${number} ${i}`)
}

try {
  if (options.dieAt !== undefined) {
    await Promise.all(['first', 'second', 'third'].map((text) => append(`before ${text} ${options.name}`)))
    armed = options.dieAt
    await Promise.all([1, 2, 3].map((i) => append(`victim ${i} ${options.name}`)))
    process.stderr.write(`it never came to ${options.dieAt}\n`)
    process.exitCode = 4
  } else if (options.same !== undefined) {
    // A line of the parent starts all of them at one moment.
    process.stdout.write('ready\n')
    await new Promise((resolve) => process.stdin.once('data', resolve))
    process.stdin.destroy()
    await Promise.all(Array.from({ length: options.callers }, () => append(options.same)))
  } else {
    process.stdout.write('ready\n')
    await Promise.all(Array.from({ length: options.callers }, (_, number) => caller(number)))
  }
} catch (error) {
  process.stderr.write(`${error.code ?? ''} ${error.stack}\n`)
  process.exitCode = 3
} finally {
  if (options.dieAt !== undefined || options.same !== undefined || process.exitCode === 3) {
    await log.close()
    await pool.close()
  }
}
