// Stands between a client and an instance and does to one service's answers what a bad network, a bad proxy or a bad service would.
import { createServer, request as httpRequest } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { clearInterval, setInterval } from 'node:timers'

/** Which service a path belongs to. */
const SERVICES = [
  ['trust', /^\/trust\//],
  ['ca', /^\/api\/v2\/signingCert/],
  ['log', /^\/api\/v2\/log\//],
  ['tsa', /^\/api\/v1\/timestamp/],
  ['discovery', /^\/oidc\/\.well-known\/openid-configuration/],
  ['token', /^\/oidc\/token/],
]
const serviceOf = (path) => SERVICES.find(([, pattern]) => pattern.test(path))?.[0] ?? 'other'

/** What a fault does to the answer; `real()` is the answer of the service, which is asked only then. */
const FAULTS = {
  status: (response, { status, headers = {}, body = 'out of order' }) => response.writeHead(status, headers).end(body),
  redirect: (response, { location }) => response.writeHead(307, { location }).end(),
  garbage: (response, { body = '<html>Welcome to the hotel network</html>' }) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end(body),
  hang: () => undefined,
  reset: (response) => response.socket.resetAndDestroy(),
  async truncated(response, _fault, real) {
    const { status, headers, body } = await real()
    response.writeHead(status, { ...headers, 'content-length': body.length })
    response.write(body.subarray(0, body.length >> 1), () => response.socket.end())
  },
  async dribble(response, { everyMs = 50 }, real) {
    const { status, headers, body } = await real()
    response.writeHead(status, { ...headers, 'content-length': body.length })
    let at = 0
    const timer = setInterval(() => {
      if (response.destroyed || at >= body.length) return void clearInterval(timer)
      response.write(body.subarray(at, ++at))
    }, everyMs)
    response.once('close', () => clearInterval(timer))
  },
  oversized(response) {
    response.writeHead(200, { 'content-type': 'application/json' })
    const piece = Buffer.alloc(256 * 1024, ' ')
    const more = () => {
      while (!response.destroyed && response.write(piece));
    }
    response.on('drain', more)
    more()
  },
  /** The first answer that this service gave, whatever is asked. */
  replay: (response, { answer }) => response.writeHead(answer.status, answer.headers).end(answer.body),
  async changed(response, { change }, real) {
    const { status, headers, body } = await real()
    response.writeHead(status, headers).end(change(body))
  },
}

export class FaultProxy {
  #target
  #public
  #server
  #tls
  #sockets = new Set()
  #faults = new Map()
  #moved = new Map()
  /** Services in the order in which they were asked, each with the moment (milliseconds that only go forward). */
  requests = []
  /** The last whole answer of each service. */
  answers = new Map()

  /** `target`: where the instance listens; `publicUrl`: what it is called, when that is neither there nor this proxy. */
  static async start(target, publicUrl) {
    const proxy = new FaultProxy()
    proxy.#target = new URL(target)
    proxy.#server = createServer((request, response) => void proxy.#take(request, response))
    await proxy.#listen(proxy.#server)
    proxy.url = `http://localhost:${proxy.#server.address().port}`
    proxy.#public = new URL(publicUrl ?? proxy.url)
    return proxy
  }

  /** How often a service was asked. */
  asked(service) {
    return this.requests.filter((one) => one.service === service).length
  }

  /** Milliseconds between the first two requests to a service. */
  gapMs(service) {
    const [first, second] = this.requests.filter((one) => one.service === service)
    return second.at - first.at
  }

  /** From now on: `times` answers (default: all) of the service are spoiled, after `after` good ones. */
  fault(service, fault) {
    this.#faults.set(service, { times: Infinity, after: 0, ...fault })
  }

  /** Names another address for a service ('ca', 'log', 'tsa', 'discovery') in the signing config. */
  move(service, url) {
    this.#moved.set(service, url)
  }

  /** Serves the same over TLS, with this key and certificate; resolves with its address. */
  async tls(key, cert) {
    this.#tls = createTlsServer({ key, cert }, (request, response) => void this.#take(request, response))
    await this.#listen(this.#tls)
    return `https://localhost:${this.#tls.address().port}`
  }

  heal() {
    this.#faults.clear()
    this.#moved.clear()
  }

  async close() {
    for (const socket of this.#sockets) socket.destroy()
    for (const server of [this.#server, this.#tls])
      if (server !== undefined) await new Promise((resolve) => server.close(resolve))
  }

  #listen(server) {
    server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => this.#sockets.delete(socket))
    })
    return new Promise((resolve) => server.listen(0, 'localhost', resolve))
  }

  async #take(request, response) {
    const service = serviceOf(request.url)
    this.requests.push({ service, at: performance.now() })
    const parts = []
    for await (const part of request) parts.push(part)
    const real = () => this.#ask(service, request, Buffer.concat(parts))
    const fault = this.#faults.get(service)
    try {
      if (fault !== undefined && fault.after-- <= 0 && fault.times-- > 0)
        return await FAULTS[fault.kind](response, fault, real)
      const { status, headers, body } = await real()
      response.writeHead(status, headers).end(body)
    } catch {
      response.destroy()
    }
  }

  #ask(service, { method, url, headers }, body) {
    const { hostname, port } = this.#target
    const { host } = this.#public
    return new Promise((resolve, reject) => {
      const sent = { ...headers, host, connection: 'close', 'accept-encoding': 'identity' }
      const outgoing = httpRequest({ hostname, port, method, path: url, headers: sent }, (incoming) => {
        const parts = []
        incoming.on('error', reject)
        incoming.on('data', (part) => parts.push(part))
        incoming.on('end', () => {
          const answer = this.#rewritten(url, incoming, Buffer.concat(parts))
          this.answers.set(service, answer)
          resolve(answer)
        })
      })
      outgoing.on('error', reject)
      outgoing.end(body)
    })
  }

  /** Puts this proxy's address in the place of the services', where a client takes it from. */
  #rewritten(path, incoming, body) {
    const headers = { ...incoming.headers }
    for (const name of ['content-length', 'connection', 'transfer-encoding', 'keep-alive', 'etag']) delete headers[name]
    if (path.endsWith('/client_trust_config.json')) {
      const config = JSON.parse(body.toString())
      const { caUrls, rekorTlogUrls, tsaUrls, oidcUrls } = config.signingConfig
      const here = { ca: caUrls, log: rekorTlogUrls, tsa: tsaUrls }
      // The name of an identity provider is its address: it is moved only where a test wants it to be another one.
      if (this.#moved.has('discovery')) here.discovery = oidcUrls
      for (const [name, list] of Object.entries(here))
        for (const one of list) one.url = one.url.replace(this.#public.origin, this.#moved.get(name) ?? this.url)
      body = Buffer.from(JSON.stringify(config))
    }
    return { status: incoming.statusCode, headers, body }
  }
}
