import type { Reason } from './reasons.mjs'

export class Compare {
  constructor(reasons: readonly Reason[])
  readonly unexplained: readonly object[]
  readonly faults: readonly object[]
  add(one: object, verdicts: Readonly<Record<string, object>>): void
}
