import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly bytes: Buffer
}

export interface Call {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** One request as it is, on a connection of its own: nothing is added but Content-Length, and no redirect is followed. */
export function send(url: string, path: string, { method = 'GET', headers = {}, body }: Call = {}): Promise<Answer> {
  const { hostname, port } = new URL(url)
  const length =
    body === undefined || headers['transfer-encoding'] !== undefined
      ? {}
      : { 'content-length': String(Buffer.byteLength(body)) }
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      { host: hostname, port, path, method, headers: { ...length, ...headers }, agent: false },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const bytes = Buffer.concat(chunks)
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text: bytes.toString(), bytes })
        })
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

/** A person's browser, as far as a login needs one: it keeps cookies and fills in forms; redirects are followed when it is told to. */
export class Browser {
  readonly #url: string
  readonly #cookies = new Map<string, string>()
  /** Sent with every request. */
  headers: Readonly<Record<string, string>> = {}

  constructor(url: string) {
    this.#url = url
  }

  async visit(target: string, form?: Readonly<Record<string, string>>): Promise<Answer> {
    const path = target.startsWith(this.#url) ? target.slice(this.#url.length) : target
    if (!path.startsWith('/')) throw new Error(`${target} is not on ${this.#url}`)
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers: Record<string, string> = {
      accept: 'text/html',
      ...this.headers,
      ...(cookie === '' ? {} : { cookie }),
    }
    if (form !== undefined) headers['content-type'] = 'application/x-www-form-urlencoded'
    const answer = await send(this.#url, path, {
      method: form === undefined ? 'GET' : 'POST',
      headers,
      ...(form === undefined ? {} : { body: new URLSearchParams(form).toString() }),
    })
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [name, value] = line.split(';', 1)[0]!.split(/=(.*)/s)
      this.#cookies.set(name!, value ?? '')
    }
    return answer
  }

  /** Sends the form of a page, hidden fields as they are. */
  async fill(page: Answer, fields: Readonly<Record<string, string>>): Promise<Answer> {
    const form = formOf(page.text)
    return this.visit(form.action, { ...form.fields, ...fields })
  }

  /** Goes where it is sent while that is on the same origin; gives the first answer that leads elsewhere or nowhere. */
  async follow(answer: Answer): Promise<Answer> {
    for (let step = 0; step < 10; step++) {
      const { location } = answer.headers
      if (location === undefined || !(location.startsWith('/') || location.startsWith(`${this.#url}/`))) return answer
      answer = await this.visit(location)
    }
    throw new Error('too many redirects')
  }
}

export function formOf(html: string): { action: string; fields: Record<string, string> } {
  const action = /<form[^>]*\saction="([^"]*)"/.exec(html)?.[1]
  if (action === undefined) throw new Error(`no form in ${html}`)
  const fields: Record<string, string> = {}
  for (const [input] of html.matchAll(/<input[^>]*>/g)) {
    const name = /\sname="([^"]*)"/.exec(input)?.[1]
    if (name !== undefined) fields[name] = unescapeHtml(/\svalue="([^"]*)"/.exec(input)?.[1] ?? '')
  }
  return { action: unescapeHtml(action), fields }
}

function unescapeHtml(text: string): string {
  const named: Record<string, string> = { '&quot;': '"', '&#39;': "'", '&lt;': '<', '&gt;': '>', '&amp;': '&' }
  return text.replace(/&(?:quot|#39|lt|gt|amp);/g, (name) => named[name]!)
}
