import type { JsonValue } from '@touchmark/encoding'
import { CliError } from '../../errors.js'
import { POLICY_FILE_LIMITS } from './types.js'

/** A policy file is refused as a whole: a rule that is not understood would be a rule that is not kept. */
export function invalid(path: string, expected: string, found: string, cause?: unknown): CliError {
  return refusal(`${path === '' ? 'the policy' : path} is not as a policy must be`, expected, found, cause)
}

function refusal(message: string, expected: string, found: string, cause?: unknown): CliError {
  return new CliError('CLI_POLICY_INVALID', message, {
    cause,
    expected,
    found: found.slice(0, 200),
    hint: 'Correct the policy file; docs/policy-file.md describes it.',
  })
}

export function kindOf(value: JsonValue | undefined): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** The members of one JSON object that must have no others. */
export class PolicyMembers {
  readonly #members: { readonly [name: string]: JsonValue }
  readonly path: string

  constructor(value: JsonValue | undefined, path: string, known?: readonly string[]) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw invalid(path, 'an object', kindOf(value))
    this.#members = value as { readonly [name: string]: JsonValue }
    this.path = path
    const unknown = known && this.names.find((name) => !known.includes(name))
    if (unknown !== undefined) {
      const where = path === '' ? 'no policy has' : `${path} cannot have`
      throw refusal(`${where} the member ${unknown.slice(0, 80)}`, `one of ${known!.join(', ')}`, `"${unknown}"`)
    }
  }

  get names(): string[] {
    return Object.keys(this.#members)
  }

  at(name: string): string {
    const short = name.slice(0, 80)
    return this.path === '' ? short : `${this.path}.${short}`
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#members, name)
  }

  value(name: string): JsonValue | undefined {
    return this.has(name) ? this.#members[name] : undefined
  }

  text(name: string): string {
    return textOf(this.value(name), this.at(name), POLICY_FILE_LIMITS.textLength)
  }

  /** A list of at least one text, none twice. */
  texts(name: string, limit: number, length: number = POLICY_FILE_LIMITS.textLength): string[] {
    const path = this.at(name)
    const value = this.value(name)
    if (!Array.isArray(value) || value.length === 0) {
      throw invalid(path, 'a list of at least one text', Array.isArray(value) ? 'an empty list' : kindOf(value))
    }
    const list = value as readonly JsonValue[]
    if (list.length > limit) throw invalid(path, `at most ${limit}`, `${list.length}`)
    const texts = list.map((item, i) => textOf(item, `${path}[${i}]`, length))
    const twice = texts.find((text, i) => texts.indexOf(text) !== i)
    if (twice !== undefined) throw invalid(path, 'each text once', `"${twice}" twice`)
    return texts
  }

  one<Choice extends string>(name: string, choices: readonly Choice[]): Choice {
    const text = this.text(name)
    const choice = choices.find((one) => one === text)
    if (choice === undefined) throw invalid(this.at(name), choices.map((one) => `"${one}"`).join(' or '), `"${text}"`)
    return choice
  }
}

function textOf(value: JsonValue | undefined, path: string, limit: number): string {
  if (typeof value !== 'string' || value === '') {
    throw invalid(path, 'a text that is not empty', value === '' ? 'an empty text' : kindOf(value))
  }
  if (value.length > limit) throw invalid(path, `at most ${limit} characters`, `${value.length}`)
  return value
}
