/** What other tools give a meaning to and this one does not: refused, so that nobody believes in it. */
const WITHOUT_MEANING = /[[\]{}!\\]/

type Token =
  | { readonly kind: 'text'; readonly character: string }
  /** `?`, `*`, `**`, and `**` with the slash behind it. */
  | { readonly kind: 'one' | 'some' | 'any' | 'folders' }

/** Why a text is no pattern, or undefined. */
export function whyNoPattern(pattern: string): string | undefined {
  if (pattern === '') return 'it is empty'
  const found = WITHOUT_MEANING.exec(pattern)
  return found === null ? undefined : `"${found[0]}" has no meaning in a pattern`
}

/**
 * True when the pattern is about the file. `*` stands for characters of one name, `?` for one of them, `**` for anything, and `**` with a slash behind it
 * for any number of folders. A pattern without a slash is compared with the last name of the path, one with a slash with all of it. Case counts.
 * Its time grows with the product of both lengths: a name made by somebody else cannot stall it.
 */
export function matchesPattern(pattern: string, path: string): boolean {
  const subject = [...(pattern.includes('/') ? path : path.slice(path.lastIndexOf('/') + 1))]
  // reached[i]: the tokens so far can stand for the first i characters.
  let reached: boolean[] = [true, ...subject.map(() => false)]
  for (const token of tokensOf(pattern)) reached = step(token, subject, reached)
  return reached.at(-1)!
}

function tokensOf(pattern: string): Token[] {
  const tokens: Token[] = []
  for (const [text] of pattern.matchAll(/(?<=^|\/)\*\*\/|\*+|\?|[^]/gu)) {
    if (text === '**/') tokens.push({ kind: 'folders' })
    else if (text === '?') tokens.push({ kind: 'one' })
    else if (text.startsWith('*')) tokens.push({ kind: text.length > 1 ? 'any' : 'some' })
    else tokens.push({ kind: 'text', character: text })
  }
  return tokens
}

function step(token: Token, subject: readonly string[], before: readonly boolean[]): boolean[] {
  const after = before.map(() => false)
  // True when a place at or before this one was reached before.
  let earlier = false
  before.forEach((was, i) => {
    const last = i === 0 ? undefined : subject[i - 1]
    const wasOneBefore = i > 0 && before[i - 1]!
    if (token.kind === 'text') after[i] = wasOneBefore && last === token.character
    else if (token.kind === 'one') after[i] = wasOneBefore && last !== '/'
    else if (token.kind === 'some') after[i] = was || (i > 0 && after[i - 1]! && last !== '/')
    else if (token.kind === 'any') after[i] = was || earlier
    else after[i] = was || (earlier && last === '/')
    earlier ||= was
  })
  return after
}
