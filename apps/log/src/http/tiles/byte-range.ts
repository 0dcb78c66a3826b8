/** What a Range header asks for (RFC 9110 §14). */
export type AskedRange =
  /** No range, several, or one that cannot be read: the whole is sent. */
  | 'whole'
  /** One that begins behind the end: 416. */
  | 'unsatisfiable'
  /** `end` is the byte after the last. */
  | { readonly start: number; readonly end: number }

/** `bytes=0-99`, `bytes=100-`, `bytes=-50`. Nine digits are more than any file of a log has. */
const SINGLE = /^bytes=[ \t]*([0-9]{0,15})-([0-9]{0,15})[ \t]*$/i

/** Reads a Range header for a file of `length` bytes. Of several ranges none is served: the whole file is as good an answer (RFC 9110 §14.2). */
export function askedRange(header: string | undefined, length: number): AskedRange {
  const [, first = '', last = ''] = (header !== undefined && SINGLE.exec(header)) || []
  if (first === '' && last === '') return 'whole'
  if (first === '') {
    const suffix = Math.min(Number(last), length)
    return suffix === 0 ? 'unsatisfiable' : { start: length - suffix, end: length }
  }
  const start = Number(first)
  if (last !== '' && Number(last) < start) return 'whole'
  if (start >= length) return 'unsatisfiable'
  return { start, end: last === '' ? length : Math.min(Number(last) + 1, length) }
}
