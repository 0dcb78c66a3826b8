import { createHash, createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface StoredObject {
  readonly body: Buffer
  readonly contentType: string | undefined
  readonly cacheControl: string | undefined
}

export interface S3ServerOptions {
  readonly bucket: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  /** Milliseconds since 1970, for the age of signatures. */
  readonly now: () => number
  /** What it makes of If-Match and If-None-Match on a PUT: heeds them, ignores them, or answers 501. */
  readonly conditions?: 'heeded' | 'ignored' | 'unknown'
}

/**
 * What goes wrong with a request: an answer instead of the work (`status`), the connection cut before the work (`reset`), the work done and its answer lost (`lost`),
 * cut off (`truncated`) or kept back (`slow`).
 */
export type Fault =
  | { kind: 'status'; status: number; code: string; headers?: Record<string, string> }
  | { kind: 'reset' | 'lost' | 'truncated' | 'slow' }

/** The part of the S3 API that an export uses, over real HTTP. Signatures are computed here anew, from the request as it arrived. */
export class S3Server {
  readonly objects = new Map<string, StoredObject>()
  /** `METHOD key`, in the order of arrival. */
  readonly requests: string[] = []
  /** Asked before each request; undefined lets it go through. */
  fault: (method: string, key: string, headers: IncomingMessage['headers']) => Fault | undefined = () => undefined
  busiest = 0
  #busy = 0
  readonly #options: S3ServerOptions
  readonly #server: Server

  constructor(options: S3ServerOptions) {
    this.#options = options
    this.#server = createServer((request, response) => {
      this.busiest = Math.max(this.busiest, ++this.#busy)
      response.once('close', () => this.#busy--)
      this.#handle(request, response).catch((error: unknown) => response.destroy(error as Error))
    })
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const url = new URL(request.url!, 'http://store')
    const [, bucket, ...rest] = url.pathname.split('/')
    const key = decodeURIComponent(rest.join('/'))
    this.requests.push(`${request.method} ${key}`)
    const fault = this.fault(request.method!, key, request.headers)
    if (fault?.kind === 'reset') return void request.socket.destroy()
    if (fault?.kind === 'status') return answerError(response, fault.status, fault.code, fault.headers)
    const wrong = this.#wrongSignature(request, url, body)
    if (wrong !== undefined) return answerError(response, 403, wrong)
    if (bucket !== this.#options.bucket) return answerError(response, 404, 'NoSuchBucket')
    if (fault?.kind === 'slow') {
      // The headers in time, the rest never.
      return void response.writeHead(200, { 'content-length': 10 }).write('slow')
    }
    this.#work(request, url, key, body, fault?.kind, response)
  }

  #work(
    request: IncomingMessage,
    url: URL,
    key: string,
    body: Buffer,
    fault: string | undefined,
    response: ServerResponse,
  ): void {
    const found = this.objects.get(key)
    if (request.method === 'PUT') {
      const refusal = this.#condition(request, found)
      if (refusal !== undefined) return answerError(response, ...refusal)
      const { 'content-type': contentType, 'cache-control': cacheControl } = request.headers
      this.objects.set(key, { body, contentType, cacheControl })
      if (fault === 'lost') return void request.socket.destroy()
      return void response.writeHead(200, { etag: etagOf(body) }).end()
    }
    if (request.method === 'DELETE') return void (this.objects.delete(key), response.writeHead(204).end())
    if (key === '' && url.searchParams.get('list-type') === '2') return this.#list(url, response)
    if (found === undefined) return answerError(response, 404, 'NoSuchKey')
    response.writeHead(200, { etag: etagOf(found.body), 'content-length': found.body.length })
    if (fault === 'truncated') {
      response.write(found.body.subarray(0, found.body.length - 1))
      return void setImmediate(() => request.socket.destroy())
    }
    response.end(request.method === 'HEAD' ? undefined : found.body)
  }

  #list(url: URL, response: ServerResponse): void {
    const prefix = url.searchParams.get('prefix') ?? ''
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix)).sort()
    const shown = keys.slice(0, Number(url.searchParams.get('max-keys') ?? 1000))
    const contents = shown.map((key) => `<Contents><Key>${key}</Key><Size>1</Size></Contents>`).join('')
    response.writeHead(200, { 'content-type': 'application/xml' })
    response.end(`<?xml version="1.0"?><ListBucketResult><Prefix>${prefix}</Prefix>${contents}</ListBucketResult>`)
  }

  #condition(request: IncomingMessage, found: StoredObject | undefined): [number, string] | undefined {
    const { 'if-match': match, 'if-none-match': noneMatch } = request.headers
    if (match === undefined && noneMatch === undefined) return undefined
    if (this.#options.conditions === 'ignored') return undefined
    if (this.#options.conditions === 'unknown') return [501, 'NotImplemented']
    if (noneMatch === '*' && found !== undefined) return [412, 'PreconditionFailed']
    if (match !== undefined && found === undefined) return [404, 'NoSuchKey']
    return match !== undefined && match !== etagOf(found!.body) ? [412, 'PreconditionFailed'] : undefined
  }

  /** Signature Version 4, as the "Authenticating Requests" pages of the S3 API describe it. */
  #wrongSignature(request: IncomingMessage, url: URL, body: Buffer): string | undefined {
    const { accessKeyId, secretAccessKey, sessionToken, region, now } = this.#options
    const { headers } = request
    const parts =
      /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/.exec(
        headers.authorization ?? '',
      )
    if (parts === null) return 'AccessDenied'
    const [, key, date, signedRegion, signedHeaders, signature] = parts
    if (key !== accessKeyId) return 'InvalidAccessKeyId'
    if (signedRegion !== region) return 'AuthorizationHeaderMalformed'
    if (headers['x-amz-security-token'] !== sessionToken) return 'InvalidToken'
    const time = String(headers['x-amz-date'])
    const at = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
    if (!time.startsWith(date!) || !(Math.abs(at - now()) < 15 * 60_000)) return 'RequestTimeTooSkewed'
    const names = signedHeaders!.split(';')
    // What changes the meaning of a request has to be under its signature.
    const sensitive = Object.keys(headers).filter((name) =>
      /^(host|x-amz-|if-match|if-none-match|content-type|cache-control)/.test(name),
    )
    if (sensitive.some((name) => !names.includes(name))) return 'AccessDenied'
    const payload = sha256(body)
    if (headers['x-amz-content-sha256'] !== payload) return 'XAmzContentSHA256Mismatch'
    const query = [...url.searchParams].map((pair) => pair.map(escape3986).join('=')).sort()
    const canonical = [
      request.method,
      url.pathname.split('/').map(decodeURIComponent).map(escape3986).join('/'),
      query.join('&'),
      ...names.map((name) => `${name}:${String(headers[name]).trim().replace(/\s+/g, ' ')}`),
      '',
      signedHeaders,
      payload,
    ].join('\n')
    const toSign = ['AWS4-HMAC-SHA256', time, `${date}/${region}/s3/aws4_request`, sha256(canonical)].join('\n')
    const signingKey = [date!, region, 's3', 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`)
    return hmac(signingKey, toSign).toString('hex') === signature ? undefined : 'SignatureDoesNotMatch'
  }
}

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex')
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest()
const etagOf = (body: Buffer): string => `"${createHash('md5').update(body).digest('hex')}"`
const escape3986 = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

/** As S3 does, an error repeats what was sent: nothing of that may be shown. */
function answerError(
  response: ServerResponse,
  status: number,
  code: string,
  headers: Record<string, string> = {},
): void {
  const { authorization } = response.req.headers
  response.writeHead(status, { 'content-type': 'application/xml', ...headers })
  response.end(
    response.req.method === 'HEAD'
      ? undefined
      : `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${authorization}</Message><StringToSign>AWS4 ${authorization}</StringToSign></Error>`,
  )
}
