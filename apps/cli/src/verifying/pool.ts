import { Worker } from 'node:worker_threads'
import type { Demand } from './demand.js'
import type { Outcome } from './outcome.js'
import type { Subject } from './subjects.js'

/** Few enough that the last ones are shared out evenly, enough that a message costs nothing. */
const MOST_A_TASK = 32

/** What a thread is asked, and what it answers: outcomes in the order of the subjects. */
export interface Task {
  readonly from: number
  readonly subjects: readonly Subject[]
}
export interface TaskDone {
  readonly from: number
  readonly outcomes: readonly Outcome[]
}

/** The code of a thread. Its file ends in `-thread`, which is how the build knows it; this is the one place that finds it. */
function startThread(demand: Demand): Worker {
  return new Worker(new URL('./verify-thread.js', import.meta.url), { workerData: demand })
}

/** {@link judgeAll} on threads: each holds the trusted root once and is given a few artifacts at a time. */
export async function judgeInThreads(
  subjects: readonly Subject[],
  demand: Demand,
  count: number,
  onDone: (count: number) => void,
): Promise<Outcome[]> {
  const outcomes = new Array<Outcome>(subjects.length)
  const size = Math.max(1, Math.min(MOST_A_TASK, Math.floor(subjects.length / (count * 4))))
  let next = 0
  let done = 0
  const threads = Array.from({ length: count }, () => startThread(demand))
  try {
    await Promise.all(
      threads.map(
        (thread) =>
          new Promise<void>((resolve, reject) => {
            const ask = (): void => {
              if (next >= subjects.length) return resolve()
              const task: Task = { from: next, subjects: subjects.slice(next, next + size) }
              next += size
              thread.postMessage(task)
            }
            thread.on('message', ({ from, outcomes: some }: TaskDone) => {
              some.forEach((outcome, i) => (outcomes[from + i] = outcome))
              onDone((done += some.length))
              ask()
            })
            thread.once('error', reject)
            thread.once('messageerror', reject)
            thread.once('exit', (code) => reject(new Error(`a thread that verifies ended with ${code}`)))
            ask()
          }),
      ),
    )
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()))
  }
  // No gap may pass for a file that was looked at.
  if (done !== subjects.length) throw new Error(`${done} of ${subjects.length} files were looked at`)
  return outcomes
}
