import type { GivenUpTree, GuardedHead, HeadGuard } from './head-guard.js'

/** Several guards as one: a head of any of them must be in the database. */
export class CombinedGuard implements HeadGuard {
  readonly #guards: readonly HeadGuard[]

  constructor(guards: readonly HeadGuard[]) {
    this.#guards = guards
  }

  async newest(origin: string): Promise<readonly GuardedHead[]> {
    return (await Promise.all(this.#guards.map((guard) => guard.newest(origin)))).flat()
  }

  note(origin: string, head: GuardedHead): void {
    for (const guard of this.#guards) guard.note(origin, head)
  }

  ahead(origin: string, size: bigint): GuardedHead | undefined {
    return this.#guards
      .map((guard) => guard.ahead(origin, size))
      .reduce((newest, head) => (head && head.size > (newest?.size ?? size) ? head : newest), undefined)
  }

  async origins(): Promise<readonly string[]> {
    return [...new Set((await Promise.all(this.#guards.map((guard) => guard.origins()))).flat())]
  }

  async givenUp(origin: string): Promise<GivenUpTree | undefined> {
    return (await Promise.all(this.#guards.map((guard) => guard.givenUp(origin)))).find((tree) => tree !== undefined)
  }

  async giveUp(tree: GivenUpTree): Promise<void> {
    for (const guard of this.#guards) await guard.giveUp(tree)
  }

  async replace(origin: string, head: GuardedHead): Promise<void> {
    for (const guard of this.#guards) await guard.replace(origin, head)
  }

  inUse(origin: string): string | undefined {
    return this.#guards.map((guard) => guard.inUse(origin)).find((why) => why !== undefined)
  }

  problem(): string | undefined {
    return this.#guards.map((guard) => guard.problem()).find((problem) => problem !== undefined)
  }

  async close(): Promise<void> {
    await Promise.all(this.#guards.map((guard) => guard.close()))
  }
}
