import type { Target } from './targets.js'

/** Files signed at once: enough to hide the round trips, few enough not to crowd a service. */
const PARALLEL = 8
/** Bytes of artifacts that may be in memory at once. */
const MEMORY_BYTES = 512 << 20

/** So many files at once that the largest of them together fit the memory set aside. */
export function parallelFor(targets: readonly Target[]): number {
  const largest = Math.max(1, ...targets.map(({ sizeBytes }) => sizeBytes))
  return Math.min(PARALLEL, Math.max(1, Math.floor(MEMORY_BYTES / largest)))
}

/** Works on several items at once. After the first failure nothing new is begun, and what was begun is waited for: nothing goes on behind a report. */
export async function inParallel<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<R>,
): Promise<{ results: R[]; failure: { item: T; error: unknown } | undefined }> {
  const results = new Map<number, R>()
  const failures: { item: T; error: unknown }[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < items.length && failures.length === 0) {
      const at = next++
      const item = items[at]!
      try {
        results.set(at, await work(item))
      } catch (error) {
        failures.push({ item, error })
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker))
  const inOrder = [...results].sort(([a], [b]) => a - b).map(([, result]) => result)
  return { results: inOrder, failure: failures[0] }
}
