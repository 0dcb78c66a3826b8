// Preloaded into a process that must not speak to anybody: whoever tries ends it at once, so that no catch can hide it.
import dgram from 'node:dgram'
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'
import { writeSync } from 'node:fs'

function refuse(what) {
  return () => {
    writeSync(2, `network: ${what}\n`)
    process.kill(process.pid, 'SIGKILL')
  }
}
net.Socket.prototype.connect = refuse('connect')
net.Server.prototype.listen = refuse('listen')
dgram.createSocket = refuse('datagram')
for (const name of Object.keys(dns)) if (/^(lookup|resolve|reverse)/.test(name)) dns[name] = refuse(`dns ${name}`)
for (const name of Object.keys(dns.promises))
  if (/^(lookup|resolve|reverse)/.test(name)) dns.promises[name] = refuse(`dns ${name}`)
globalThis.fetch = refuse('fetch')
syncBuiltinESMExports()
