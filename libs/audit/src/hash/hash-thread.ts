import { parentPort } from 'node:worker_threads'
import { checkLeafTile, type LeafTask } from './leaf-tile.js'

// One answer for each message, in order: the other side counts on it.
parentPort!.on('message', (task: LeafTask) => {
  parentPort!.postMessage(checkLeafTile(task))
})
