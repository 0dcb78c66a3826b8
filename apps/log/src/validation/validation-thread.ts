import { parentPort } from 'node:worker_threads'
import { outcomeOf, type Asked, type FromThread } from './messages.js'
import { TASKS } from './tasks.js'

// The program of the validation thread (validation.ts). A request that it cannot bear is told as its outcome; what ends this thread ends the process.
function tell(message: FromThread): void {
  parentPort!.postMessage(message)
}

parentPort!.on('message', (requests: readonly Asked[]) => {
  tell(requests.map(({ task, body }) => outcomeOf(() => TASKS[task](body))))
})
tell('ready')
