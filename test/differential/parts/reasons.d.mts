export interface Reason {
  readonly id: string
  readonly right: string
}

export const REASONS: readonly Reason[]
