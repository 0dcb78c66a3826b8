import type { Fault, ServiceName } from './fault-proxy.mjs'

/** One thing that goes wrong at one service, and what the client makes of it. */
export interface ClientCase {
  readonly name: string
  readonly service: ServiceName
  readonly fault: Fault
  /** The exit code; 0: the client got over it. */
  readonly exit: number
  readonly code?: string
  /** Requests to the service. */
  readonly asked: number
}

/** How a person knows the service by the message. */
export const SERVICE_TEXT: Readonly<Record<ServiceName, RegExp>> = {
  trust: /the Touchmark instance|localhost:\d+ answered/,
  ca: /certificate authority/,
  log: /transparency log/,
  tsa: /timestamp authority/,
  discovery: /identity provider/,
  token: /identity provider/,
}

const SERVICES = Object.keys(SERVICE_TEXT) as ServiceName[]

/** A code works once: the token endpoint is asked once, whatever happens. */
const tries = (service: ServiceName): number => (service === 'token' ? 1 : 3)

const lasting: [string, Fault, { code: string; again: boolean }][] = [
  ['answers 500', { kind: 'status', status: 500 }, { code: 'SIGN_SERVICE_FAILED', again: true }],
  ['answers 503', { kind: 'status', status: 503 }, { code: 'SIGN_SERVICE_FAILED', again: true }],
  ['answers 429', { kind: 'status', status: 429 }, { code: 'SIGN_SERVICE_FAILED', again: true }],
  [
    'asks to be left alone for an hour',
    { kind: 'status', status: 429, headers: { 'retry-after': '3600' } },
    { code: 'SIGN_SERVICE_FAILED', again: false },
  ],
  ['answers a byte at a time', { kind: 'dribble' }, { code: 'SIGN_SERVICE_UNREACHABLE', again: true }],
  ['cuts its answers off', { kind: 'truncated' }, { code: 'SIGN_SERVICE_UNREACHABLE', again: true }],
  ['takes requests and never answers', { kind: 'hang' }, { code: 'SIGN_SERVICE_UNREACHABLE', again: true }],
  ['resets connections', { kind: 'reset' }, { code: 'SIGN_SERVICE_UNREACHABLE', again: true }],
  ['answers without an end', { kind: 'oversized' }, { code: 'SIGN_SERVICE_ANSWER', again: false }],
  [
    'sends the client elsewhere',
    { kind: 'redirect', location: 'http://localhost:9/' },
    { code: 'SIGN_SERVICE_ANSWER', again: false },
  ],
]

const passing: [string, Fault][] = [
  ['answers 503', { kind: 'status', status: 503 }],
  ['answers 429 and asks for a second', { kind: 'status', status: 429, headers: { 'retry-after': '1' } }],
  ['cuts an answer off', { kind: 'truncated' }],
  ['resets a connection', { kind: 'reset' }],
  ['leaves one request without an answer', { kind: 'hang' }],
]

/** Every fault at every service: what the long form runs. */
export function everyCase(): ClientCase[] {
  const always = SERVICES.flatMap((service) =>
    lasting.map(([name, fault, { code, again }]): ClientCase => {
      const asked = again ? tries(service) : 1
      return { name: `the ${service} service ${name}`, service, fault, exit: 7, code, asked }
    }),
  )
  const once = SERVICES.filter((service) => service !== 'token').flatMap((service) =>
    passing.map(([name, fault]): ClientCase => {
      return { name: `once, the ${service} service ${name}`, service, fault: { ...fault, times: 1 }, exit: 0, asked: 2 }
    }),
  )
  return [...always, ...once, ...strangeAnswers()]
}

/** Each service with several faults, each fault at one service or two: what every run has time for. */
export function someCases(): ClientCase[] {
  return everyCase().filter((_case, at) => at % 3 === 0 || at >= everyCase().length - strangeAnswers().length)
}

/** Answers that are well-formed HTTP and nonsense. */
function strangeAnswers(): ClientCase[] {
  const garbage: [ServiceName, string, number][] = [
    ['trust', 'TRUST_JSON_INVALID', 5],
    ['ca', 'SIGN_SERVICE_ANSWER', 7],
    ['log', 'SIGN_SERVICE_ANSWER', 7],
    ['tsa', 'SIGN_SERVICE_ANSWER', 7],
    ['discovery', 'CLI_LOGIN_FAILED', 6],
    ['token', 'CLI_LOGIN_FAILED', 6],
  ]
  return [
    ...garbage.map(([service, code, exit]): ClientCase => {
      return {
        name: `a portal answers for the ${service} service`,
        service,
        fault: { kind: 'garbage' },
        exit,
        code,
        asked: 1,
      }
    }),
    ...changed('ca', 'another SCT', otherSct),
    ...changed('log', 'a proof of something else', (body) => swapInJson(body, /("rootHash":")(.)/)),
    ...changed('log', 'a body of something else', (body) => swapInJson(body, /("canonicalizedBody":"ey)(.)/)),
    ...changed('tsa', 'a broken signature', (body) => flipped(body, body.length - 3)),
  ]
}

function changed(service: ServiceName, what: string, change: (body: Buffer) => Buffer | string): ClientCase[] {
  const fault: Fault = { kind: 'changed', change }
  return [
    {
      name: `the ${service} service answers with ${what}`,
      service,
      fault,
      exit: 3,
      code: 'CLI_SIGNATURE_UNVERIFIED',
      asked: 1,
    },
  ]
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at]! ^= 1
  return copy
}

/** Puts another character of base64 in the place of one. */
function swapInJson(body: Buffer, pattern: RegExp): string {
  return body.toString().replace(pattern, (_all, before: string, one: string) => `${before}${one === 'A' ? 'B' : 'A'}`)
}

/** The leaf with another log id in its SCT list (RFC 6962 §3.3): after the extension's OID the list begins with its lengths and a version. */
function otherSct(body: Buffer): string {
  const answer = JSON.parse(body.toString()) as {
    signedCertificateEmbeddedSct: { chain: { certificates: string[] } }
  }
  const { certificates } = answer.signedCertificateEmbeddedSct.chain
  const der = Buffer.from(certificates[0]!.replace(/-----[^-]+-----|\s/g, ''), 'base64')
  const at = der.indexOf(Buffer.from('060a2b06010401d679020402', 'hex'))
  if (at < 0) throw new Error('the certificate has no SCT')
  const lines = flipped(der, at + 30)
    .toString('base64')
    .replace(/.{64}/g, '$&\n')
  certificates[0] = `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
  return JSON.stringify(answer)
}
