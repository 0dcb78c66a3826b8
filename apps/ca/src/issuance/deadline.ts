import { IssuanceError } from './errors.js'

/**
 * Waits for the certificate log at most so long. Whatever it throws, and silence, becomes CA_CT_LOG_FAILED; an answer that
 * comes too late is dropped, and the signal tells the log's adapter that nobody waits.
 */
export async function withDeadline<T>(work: (signal: AbortSignal) => Promise<T>, ms: number): Promise<T> {
  const abort = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new IssuanceError('CA_CT_LOG_FAILED', `the certificate log did not answer within ${ms} ms`))
      abort.abort()
    }, ms)
  })
  try {
    return await Promise.race([work(abort.signal), late])
  } catch (cause) {
    if (cause instanceof IssuanceError) throw cause
    throw new IssuanceError('CA_CT_LOG_FAILED', 'the certificate log did not take the precertificate', { cause })
  } finally {
    clearTimeout(timer)
  }
}
