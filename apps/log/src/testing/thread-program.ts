/** A validation thread that does something else with each message: `onMessage` is JavaScript, and has its `requests`. */
export function threadProgram(onMessage: string): URL {
  const text = `import { parentPort } from 'node:worker_threads'
    parentPort.on('message', (requests) => { ${onMessage} })
    parentPort.postMessage('ready')`
  return new URL(`data:text/javascript,${encodeURIComponent(text)}`)
}
