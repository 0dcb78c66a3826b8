import { isCodedError } from '@touchmark/errors'
import { exitCodeOf } from '../exit-codes.js'

/** What became of one check. Only a problem keeps `touchmark` from working; a warning will, or may. */
export type State = 'ok' | 'warning' | 'problem' | 'not checked'

/** One line of the report. */
export interface Finding {
  /** What was looked at: `clock`, `trust root`, … */
  readonly check: string
  readonly state: State
  readonly says: string
  readonly expected?: string
  readonly found?: string
  /** What to do about it. */
  readonly do?: string
  /** Of a problem, and of a warning that is an error elsewhere. */
  readonly code?: string
  /** Of a problem: the exit code of its error. */
  readonly exit?: number
}

export const ok = (check: string, says: string): Finding => ({ check, state: 'ok', says })
export const notChecked = (check: string, says: string): Finding => ({ check, state: 'not checked', says })
export const warning = (check: string, says: string, todo: string, found?: string): Finding => ({
  check,
  state: 'warning',
  says,
  ...(found === undefined ? {} : { found }),
  do: todo,
})

/** A coded error as a finding; anything else is a fault of ours and is thrown. */
export function problem(check: string, error: unknown, otherwise = 'Read what was found.'): Finding {
  if (!isCodedError(error)) throw error
  const { expected, found, hint } = error.details
  return {
    check,
    state: 'problem',
    says: error.message,
    ...(expected === undefined ? {} : { expected }),
    ...(found === undefined ? {} : { found }),
    do: hint ?? otherwise,
    code: error.code,
    exit: exitCodeOf(error),
  }
}

/** Runs a check; its coded error becomes the finding. */
export async function finding(check: string, work: () => Promise<Finding>, otherwise?: string): Promise<Finding> {
  try {
    return await work()
  } catch (error) {
    return problem(check, error, otherwise)
  }
}
