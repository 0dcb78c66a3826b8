#!/usr/bin/env node
// Stands in for a person with a browser: follows the page it is given, fills in the demonstration issuer's form, and goes where it is sent.
// Used as xdg-open and as $BROWSER; returns at once, like a real opener.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const EMAIL = process.env.FAKE_BROWSER_EMAIL ?? 'dev@example.com'

const unescape = (text) =>
  text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')

/** Every form field as the page has it, with ours filled in; undefined when the page has no form. */
function fill(html) {
  const form = /<form([^>]*)>/.exec(html)?.[1]
  if (form === undefined) return undefined
  const fields = new URLSearchParams()
  for (const [input] of html.matchAll(/<input[^>]*>/g)) {
    const name = /\sname="([^"]*)"/.exec(input)?.[1]
    if (name !== undefined) fields.set(unescape(name), unescape(/\svalue="([^"]*)"/.exec(input)?.[1] ?? ''))
  }
  if (fields.has('email')) fields.set('email', EMAIL)
  if (fields.has('name')) fields.set('name', 'Dev')
  return { action: unescape(/\saction="([^"]*)"/.exec(form)?.[1] ?? ''), fields }
}

export async function browse(start) {
  const cookies = new Map()
  let url = start
  let body
  for (let step = 0; step < 20; step++) {
    const { host } = new URL(url)
    const jar = cookies.get(host) ?? new Map()
    cookies.set(host, jar)
    const headers = { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '), accept: 'text/html' }
    if (body) headers['content-type'] = 'application/x-www-form-urlencoded'
    const response = await fetch(url, { method: body ? 'POST' : 'GET', headers, body, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) {
      const [name, value] = line.split(';', 1)[0].split(/=(.*)/s)
      jar.set(name, value)
    }
    const html = await response.text()
    const location = response.headers.get('location')
    body = undefined
    if (location !== null) {
      url = new URL(location, url).href
      continue
    }
    const form = fill(html)
    if (form === undefined) return { url, html, status: response.status }
    url = new URL(form.action || url, url).href
    body = form.fields.toString()
  }
  throw new Error('too many pages')
}

if (process.argv[1] === fileURLToPath(import.meta.url) || process.argv[1]?.endsWith('xdg-open')) {
  if (process.env.FAKE_BROWSER_CHILD) await browse(process.argv[2])
  else
    spawn(process.execPath, [fileURLToPath(import.meta.url), process.argv[2]], {
      detached: true,
      stdio: 'ignore',
      env: { ...process.env, FAKE_BROWSER_CHILD: '1' },
    }).unref()
}
