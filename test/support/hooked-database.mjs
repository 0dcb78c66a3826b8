// A database whose every statement passes through a hook of the test, whichever part of the program sends it. In the test's process alone: the program knows nothing of it.
import { Database } from '@touchmark/postgres'

/** The statements of an append that have a name of their own here; anything else is `other`. */
const NAMES = [
  ['begin', (text) => text.startsWith('begin')],
  ['lock', (_, name) => name === 'ledger_lock'],
  ['find', (_, name) => name?.startsWith('ledger_find') === true],
  ['write', (_, name) => name === 'ledger_write'],
  ['commit', (text) => text === 'commit'],
  ['rollback', (text) => text === 'rollback'],
]

function nameOf(first) {
  const { text, name } = typeof first === 'string' ? { text: first } : first
  return NAMES.find(([, matches]) => matches(text, name))?.[0] ?? 'other'
}

export function hookedDatabase(real, hook) {
  const pool = real.dataSource.driver.master
  const bound = (target, property) => {
    const value = Reflect.get(target, property, target)
    return typeof value === 'function' ? value.bind(target) : value
  }
  const connect = async () => {
    const client = await pool.connect()
    return new Proxy(client, {
      get(target, property) {
        if (property !== 'query') return bound(target, property)
        return (...args) => hook(nameOf(args[0]), () => target.query(...args), target)
      },
    })
  }
  const dataSource = { driver: { master: { connect } }, destroy: () => Promise.resolve() }
  return new Database(dataSource, real.url)
}
