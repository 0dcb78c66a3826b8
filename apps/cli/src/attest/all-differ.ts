import type { JsonValue } from '@touchmark/encoding'

/** Numbers for JSON values: equal ones, whatever the order of their members, have the same. Each part of a document is looked at once, however deep it lies. */
export class Identities {
  readonly #numbers = new Map<string, number>()
  readonly #known = new WeakMap<object, number>()

  of(value: JsonValue): number {
    if (typeof value !== 'object' || value === null) return this.#number(JSON.stringify(value))
    let known = this.#known.get(value)
    if (known === undefined) this.#known.set(value, (known = this.#number(this.#text(value))))
    return known
  }

  #text(value: object): string {
    if (Array.isArray(value)) return `[${(value as JsonValue[]).map((item) => this.of(item)).join()}]`
    const members = Object.entries(value as Record<string, JsonValue>).sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${this.of(member)}`).join()}}`
  }

  #number(text: string): number {
    let number = this.#numbers.get(text)
    if (number === undefined) this.#numbers.set(text, (number = this.#numbers.size))
    return number
  }
}

/** True when no element is equal to another, in one pass. */
export function allDiffer(items: readonly JsonValue[], identities: Identities): boolean {
  return items.length < 2 || new Set(items.map((item) => identities.of(item))).size === items.length
}
