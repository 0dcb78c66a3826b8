import { availableParallelism } from 'node:os'
import { isCodedError } from '@touchmark/errors'
import type { Demand } from './demand.js'
import { judge, ruleOf } from './judge.js'
import { failed, succeeded, type Outcome } from './outcome.js'
import type { Subject } from './subjects.js'

/** What one core does in a millisecond, roughly: it only decides whether threads are worth their start. */
const BYTES_HASHED_A_MS = 1 << 20
const MS_A_FILE = 2
/** Starting a thread and loading the verifier in it takes about as long as this many milliseconds of work. */
const WORTH_A_THREAD_MS = 200
const MOST_THREADS = 64

/** Judges one artifact; a refusal is an outcome too. Throws what is a fault of ours. */
export async function outcomeOf(subject: Subject, demand: Demand): Promise<Outcome> {
  try {
    return succeeded(subject.named, await judge(subject, demand), demand)
  } catch (error) {
    return { ...failed(subject.named, error), ...ruleName(subject, demand, error) }
  }
}

/** Which rule of a policy file refused it, where one did. */
function ruleName(subject: Subject, demand: Demand, error: unknown): { rule?: string } {
  const code = isCodedError(error) ? error.code : ''
  return demand.byName && code !== 'CLI_POLICY_NO_RULE' ? { rule: ruleOf(subject, demand).name } : {}
}

/** Threads that are worth their start; 0: do it here. */
export function threadsFor(subjects: readonly Subject[], cores = availableParallelism()): number {
  const work = subjects.reduce((sum, { sizeBytes }) => sum + MS_A_FILE + sizeBytes / BYTES_HASHED_A_MS, 0)
  const threads = Math.min(cores, MOST_THREADS, subjects.length, Math.floor(work / WORTH_A_THREAD_MS))
  return threads < 2 ? 0 : threads
}

/**
 * Judges all artifacts, in their order, on as many threads as it is worth. `onDone` is told how many are done. Rejects when anything went wrong that is
 * no answer about a file, also when a thread ended: then there is no outcome at all.
 */
export async function judgeAll(
  subjects: readonly Subject[],
  demand: Demand,
  onDone: (count: number) => void,
  threads = threadsFor(subjects),
): Promise<Outcome[]> {
  if (threads > 0) return (await import('./pool.js')).judgeInThreads(subjects, demand, threads, onDone)
  const outcomes: Outcome[] = []
  for (const subject of subjects) {
    outcomes.push(await outcomeOf(subject, demand))
    onDone(outcomes.length)
  }
  return outcomes
}
