// Memory of a process and all that descend from it, read from /proc.
import { readdirSync, readFileSync } from 'node:fs'
import { clearInterval, setInterval } from 'node:timers'

const MIB = 1024

function processes() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const status = readFileSync(`/proc/${pid}/status`, 'utf8')
        const field = (name) => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1]
        return [
          { pid: Number(pid), parent: Number(field('PPid')), name: field('Name'), rssKb: Number(field('VmRSS') ?? 0) },
        ]
      } catch {
        return []
      }
    })
}

/** The share that is a process's own and its part of what it shares: PostgreSQL's sessions share their buffers. */
function pssKb(pid, otherwise) {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? otherwise)
  } catch {
    return otherwise
  }
}

/** PostgreSQL leads a session of its own, so its processes are found by name: no other may run on the machine. */
function split(root) {
  const all = processes()
  const own = new Set([root])
  for (let before = 0; before !== own.size;) {
    before = own.size
    for (const { pid, parent } of all) if (own.has(parent)) own.add(pid)
  }
  return {
    services: all.filter(({ pid, name }) => own.has(pid) && name !== 'postgres'),
    database: all.filter(({ name }) => name === 'postgres'),
  }
}

/** `services`: RSS of the processes that are not PostgreSQL; `database`: PSS of PostgreSQL's. In MiB. */
export function memoryOf(root) {
  const { services, database } = split(root)
  return {
    services: services.reduce((sum, { rssKb }) => sum + rssKb, 0) / MIB,
    database: database.reduce((sum, { pid, rssKb }) => sum + pssKb(pid, rssKb), 0) / MIB,
  }
}

/** The kernel counts in hundredths of a second. */
const TICK_US = 10_000

function ticksOf(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
    return { user: Number(fields[11]), system: Number(fields[12]) }
  } catch {
    return { user: 0, system: 0 }
  }
}

/** CPU time so far in microseconds: of the processes that are not PostgreSQL, and of PostgreSQL's that run. */
export function cpuOf(root) {
  const { services, database } = split(root)
  const sum = (list, part) => list.reduce((total, { pid }) => total + ticksOf(pid)[part], 0) * TICK_US
  return {
    user: sum(services, 'user'),
    system: sum(services, 'system'),
    database: sum(database, 'user') + sum(database, 'system'),
  }
}

/** The highest of each, looked for four times a second while `work` runs. */
export async function peakMemory(root, work) {
  const peak = memoryOf(root)
  const timer = setInterval(() => {
    const now = memoryOf(root)
    for (const part of ['services', 'database']) peak[part] = Math.max(peak[part], now[part])
  }, 250)
  try {
    return { result: await work(), peak }
  } finally {
    clearInterval(timer)
  }
}
