/** A word of a shell (sh, bash, zsh) that stands for itself. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
