import { parentPort, workerData } from 'node:worker_threads'
import { outcomeOf } from './batch.js'
import type { Demand } from './demand.js'
import type { Outcome } from './outcome.js'
import type { Task, TaskDone } from './pool.js'

/** A thread of `touchmark verify`. It is given what is wanted at its start, then a few artifacts at a time; what is a fault of ours ends it. */
const demand = workerData as Demand

parentPort!.on('message', ({ from, subjects }: Task) => {
  void answer(from, subjects)
})

async function answer(from: number, subjects: Task['subjects']): Promise<void> {
  const outcomes: Outcome[] = []
  for (const subject of subjects) outcomes.push(await outcomeOf(subject, demand))
  const done: TaskDone = { from, outcomes }
  parentPort!.postMessage(done)
}
