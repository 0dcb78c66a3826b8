// A flame graph as SVG from a .cpuprofile of Node, and the same time as a table by what it is spent on.

/** Where a frame belongs, by its file or by what Node calls it; the first that fits. Callees without a rule belong to their caller. */
const PLACES = [
  [/^\((idle|program)\)$/, undefined],
  [/garbage collector/, 'garbage collection'],
  [/libs\/crypto\//, 'signature check'],
  [/libs\/x509\//, 'certificate'],
  [/libs\/encoding\/dist\/(proto|json)/, 'request: JSON'],
  [/libs\/entry\//, 'entry: validation and body'],
  [/libs\/tlog\//, 'checkpoint'],
  [/apps\/log\/dist\/validation\//, 'handing over'],
  [/libs\/(ledger|merkle)\//, 'ledger: batch, tree, proofs'],
  [/libs\/postgres\/|node_modules\/pg|node_modules\/typeorm/, 'PostgreSQL driver'],
  [/libs\/service\/|prom-client|node_modules\/pino/, 'edge: metrics, log, limits'],
  [/node_modules\/(@nestjs|rxjs|express|router|body-parser|path-to-regexp|reflect-metadata)/, 'Nest and Express'],
  [/apps\/log\//, 'routes of the log'],
  [/node:_http|node:internal\/http|parserOn/, 'HTTP of Node'],
  [/node:net|node:internal\/stream|node:internal\/streams|node:stream/, 'sockets and streams of Node'],
]

function placeOf({ functionName, url }) {
  const text = `${url} ${functionName}`
  const found = PLACES.find(([pattern]) => pattern.test(url === '' ? functionName : text))
  return found === undefined ? null : found[1]
}

/** The tree of a profile: names, files and microseconds of each node, its children within it. */
export function readProfile(profile) {
  const nodes = new Map(
    profile.nodes.map((node) => [node.id, { ...node.callFrame, self: 0, children: node.children ?? [] }]),
  )
  profile.samples.forEach((id, i) => (nodes.get(id).self += profile.timeDeltas[i]))
  const build = (id) => {
    const { children, ...frame } = nodes.get(id)
    const below = children.map(build).filter(({ total }) => total > 0)
    return { ...frame, children: below, total: frame.self + below.reduce((sum, { total }) => sum + total, 0) }
  }
  return build(profile.nodes[0].id)
}

/** Microseconds by place, waiting left out: a frame without a rule counts where its caller does. */
export function byPlace(tree) {
  const sums = new Map()
  const walk = (node, inherited) => {
    const own = placeOf(node)
    const place = own === null ? inherited : own
    if (place !== undefined) sums.set(place, (sums.get(place) ?? 0) + node.self)
    for (const child of node.children) walk(child, place)
  }
  walk(tree, 'event loop and other')
  return [...sums].sort((a, b) => b[1] - a[1])
}

const WAITING = /^\((idle|program)\)$/

/** One tree of several threads, without what they wait. */
export function threadsAsOne(threads) {
  const children = threads.map(({ name, tree }) => {
    const busy = tree.children.filter(({ functionName }) => !WAITING.test(functionName))
    return {
      functionName: name,
      url: '',
      self: 0,
      children: busy,
      total: busy.reduce((sum, { total }) => sum + total, 0),
    }
  })
  return { functionName: '(root)', url: '', self: 0, children }
}

const WIDTH = 1200
const ROW = 15
/** Narrower frames are left out: nobody can read them. */
const LEAST = 1.2

const escape = (text) =>
  text.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign])
const shortUrl = (url) => url.replace(/^file:\/\/.*?\/((apps|libs|node_modules)\/)/, '$1').replace(/:\d+$/, '')

/** One name, one colour: by file for ours, grey for Node's own. */
function colour({ url, functionName }) {
  if (url.includes('/libs/') || url.includes('/apps/')) return '#f0a058'
  if (url.includes('/node_modules/')) return '#e8cf6a'
  return functionName.startsWith('(') ? '#b9c2cc' : '#cfd6dd'
}

/** Frames of one name below one parent become one, so that the picture is of calls and not of moments. */
function merged(children) {
  const groups = new Map()
  for (const child of children) {
    const key = `${child.functionName} ${child.url}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { ...child, children: [...child.children] })
    else {
      group.total += child.total
      group.self += child.self
      group.children.push(...child.children)
    }
  }
  return [...groups.values()].sort((a, b) => b.total - a.total)
}

/** An SVG without script: every frame has its name, file and share as a title. `usPerEntry` scales the shares to one entry. */
export function flameSvg(tree, { title, usPerEntry }) {
  const total = tree.children.reduce((sum, child) => sum + child.total, 0)
  const parts = []
  let deepest = 0
  const draw = (node, x, depth) => {
    const width = (node.total / total) * WIDTH
    if (width < LEAST) return
    deepest = Math.max(deepest, depth)
    const name = node.functionName || '(anonymous)'
    const us = ((node.total / total) * usPerEntry).toFixed(1)
    const label =
      width > 40
        ? `<text x="${(x + 2).toFixed(1)}" y="${depth * ROW + 11}">${escape(name.slice(0, Math.floor(width / 6.2)))}</text>`
        : ''
    parts.push(
      `<g><title>${escape(`${name} ${shortUrl(node.url)}: ${us} us`)}</title><rect x="${x.toFixed(1)}" y="${depth * ROW}" width="${Math.max(0.5, width - 0.4).toFixed(1)}" height="${ROW - 1}" fill="${colour(node)}"/>${label}</g>`,
    )
    let at = x
    for (const child of merged(node.children)) {
      draw(child, at, depth + 1)
      at += (child.total / total) * WIDTH
    }
  }
  let at = 0
  for (const child of merged(tree.children)) {
    draw(child, at, 2)
    at += (child.total / total) * WIDTH
  }
  const height = (deepest + 1) * ROW + 4
  const head = `<text x="4" y="16" font-size="13">${escape(title)}</text>`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="10"><rect width="100%" height="100%" fill="#fff"/>${head}${parts.join('\n')}</svg>\n`
}
