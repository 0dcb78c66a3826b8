// Stryker's test runner for the pure libs: jest-circus and jest's `expect`, without jest's module registry. Each run loads the bundled specs anew
// (bundle-specs.mjs), so that no run sees what another has left in a module.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Script } from 'node:vm'
import { declareClassPlugin, PluginKind } from '@stryker-mutator/api/plugin'
import { determineHitLimitReached, DryRunStatus, TestStatus, toMutantRunResult } from '@stryker-mutator/api/test-runner'
import { BUNDLE, EXTERNALS } from './specs-files.mjs'

const require = createRequire(import.meta.url)
const circus = require('jest-circus')
const { jestExpect } = require('@jest/expect')

/** What the instrumented code reads and writes. */
const mutants = (globalThis.__stryker__ ??= {})

const TEST_TIMEOUT_MS = 600_000
/** What stands for a test where the specs do not even load. */
const LOADING = 'loading of the specs'

const isTest = (child) => child.type === 'test'
const testsOf = (block) => block.children.flatMap((child) => (isTest(child) ? [child] : testsOf(child)))

/** File, blocks and name of a test; a number behind it where two have the same. */
function nameTests(root) {
  const ids = new Map()
  const used = new Map()
  for (const test of testsOf(root)) {
    const names = []
    for (let at = test; at.parent; at = at.parent) names.unshift(at.name)
    const name = names.join(' > ')
    const times = used.get(name) ?? 0
    used.set(name, times + 1)
    ids.set(test, times === 0 ? name : `${name} #${times + 1}`)
  }
  return ids
}

/** Making an RSA key takes longer than all tests together, so each kind of them is made once a process. */
function keepingRsaKeys({ generateKeyPairSync }) {
  const kept = new Map()
  return (type, options) => {
    if (type !== 'rsa') return generateKeyPairSync(type, options)
    const name = JSON.stringify(options)
    if (!kept.has(name)) kept.set(name, generateKeyPairSync(type, options))
    return kept.get(name)
  }
}

class SpecRunner {
  static inject = []
  #load
  /** Test id to milliseconds: the quickest go first, since the first failure ends a run. */
  #durations = new Map()
  /** Tests that have been seen to pass alone. */
  #sound = new Set()

  capabilities() {
    return { reloadEnvironment: true }
  }

  async init() {
    // As in jest.config.mjs; some packages that specs compare with want it.
    await import('reflect-metadata')
    const modules = new Map()
    for (const name of JSON.parse(readFileSync(EXTERNALS, 'utf8')))
      if (name !== '@jest/globals') modules.set(name, await import(name))
    // Property tests take the same inputs in each run: whether a mutant survives is no matter of luck.
    modules.get('fast-check')?.configureGlobal({ seed: 1 })
    const crypto = modules.get('node:crypto')
    if (crypto !== undefined) modules.set('node:crypto', { ...crypto, generateKeyPairSync: keepingRsaKeys(crypto) })
    modules.set('@jest/globals', { ...circus, expect: jestExpect, jest: { setTimeout: () => undefined } })
    const code = new Script(`(require) => {${readFileSync(BUNDLE, 'utf8')}\n}`, { filename: BUNDLE }).runInThisContext()
    this.#load = () => code((name) => modules.get(name))
    globalThis.describe = circus.describe
    // A promise that a mutant leaves behind is the finding of no test, and no end of the process.
    process.on('unhandledRejection', () => undefined)
    // A slow machine notices no mutant: what never ends is for Stryker to stop.
    globalThis[Symbol.for('TEST_TIMEOUT_SYMBOL')] = TEST_TIMEOUT_MS
    circus.addEventHandler((event) => this.#onEvent?.(event))
  }

  #onEvent

  async dryRun() {
    mutants.activeMutant = undefined
    mutants.mutantCoverage = { static: {}, perTest: {} }
    mutants.hitLimit = mutants.hitCount = undefined
    const result = await this.#run({ coverage: true })
    const failed = result.tests.filter(({ status }) => status === TestStatus.Failed)
    if (failed.length > 0)
      return {
        status: DryRunStatus.Error,
        errorMessage: failed.map(({ id, failureMessage }) => `${id}\n${failureMessage}`).join('\n'),
      }
    for (const { id, timeSpentMs } of result.tests) this.#durations.set(id, timeSpentMs)
    return { ...result, mutantCoverage: mutants.mutantCoverage }
  }

  async mutantRun({ activeMutant, testFilter, mutantActivation, hitLimit, disableBail }) {
    mutants.mutantCoverage = { static: {}, perTest: {} }
    mutants.currentTestId = undefined
    mutants.hitLimit = hitLimit === undefined ? undefined : hitLimit / 20
    mutants.hitCount = hitLimit === undefined ? undefined : 0
    mutants.activeMutant = mutantActivation === 'static' ? activeMutant.id : undefined
    const result = await this.#run({
      loaded: () => (mutants.activeMutant = activeMutant.id),
      only: testFilter && new Set(testFilter),
      bail: !disableBail,
    })
    const endless = determineHitLimitReached(mutants.hitCount, mutants.hitLimit)
    mutants.activeMutant = undefined
    if (endless === undefined) await this.#checkFailures(result)
    return toMutantRunResult(endless ?? result)
  }

  /** A test that fails without the others that it follows would seem to notice every mutant. */
  async #checkFailures({ tests }) {
    for (const { id, status } of tests) {
      if (status !== TestStatus.Failed || this.#sound.has(id)) continue
      const alone = await this.#run({ only: new Set([id]) })
      if (alone.tests.some((test) => test.status === TestStatus.Failed))
        throw new Error(`this test does not pass alone: ${id}`)
      if (id !== LOADING) this.#sound.add(id)
    }
  }

  async #run({ loaded, only, bail = false, coverage = false }) {
    circus.resetState()
    try {
      this.#load()
    } catch (error) {
      return { status: DryRunStatus.Complete, tests: [failure(LOADING, String(error))] }
    }
    loaded?.()
    const root = circus.getState().rootDescribeBlock
    const ids = nameTests(root)
    if (only !== undefined) for (const [test, id] of ids) if (!only.has(id)) test.mode = 'skip'
    if (bail) this.#sort(root, ids)
    const hooks = new Map()
    this.#onEvent = (event) => {
      if (coverage) follow(event, ids, hooks)
      if (bail && event.name === 'test_done' && event.test.errors.length > 0)
        for (const test of ids.keys()) test.mode = 'skip'
    }
    await circus.run()
    if (coverage) shareHooks(hooks, ids)
    return { status: DryRunStatus.Complete, tests: [...ids].flatMap(([test, id]) => resultOf(test, id)) }
  }

  #sort(block, ids) {
    const cost = (child) =>
      isTest(child)
        ? child.mode === 'skip'
          ? 0
          : (this.#durations.get(ids.get(child)) ?? 0)
        : child.children.reduce((sum, inner) => sum + cost(inner), 0)
    block.children.sort((a, b) => cost(a) - cost(b))
    for (const child of block.children) if (!isTest(child)) this.#sort(child, ids)
  }
}

/** Notes which test, or which block's hook, runs: the instrumented code counts its hits under that name. */
function follow(event, ids, hooks) {
  if (event.name === 'test_start') mutants.currentTestId = ids.get(event.test)
  else if (event.name === 'test_done' || event.name === 'test_skip') mutants.currentTestId = undefined
  else if (event.name === 'hook_start' && (event.hook.type === 'beforeAll' || event.hook.type === 'afterAll')) {
    const name = `hook ${hooks.size}`
    hooks.set(name, event.hook.parent)
    mutants.currentTestId = name
  } else if ((event.name === 'hook_success' || event.name === 'hook_failure') && hooks.has(mutants.currentTestId))
    mutants.currentTestId = undefined
}

/** What a block's hook has run is run for each test of the block. */
function shareHooks(hooks, ids) {
  const { perTest } = mutants.mutantCoverage
  for (const [name, block] of hooks) {
    for (const test of testsOf(block)) {
      const own = (perTest[ids.get(test)] ??= {})
      for (const [mutant, hits] of Object.entries(perTest[name] ?? {})) own[mutant] = (own[mutant] ?? 0) + hits
    }
    delete perTest[name]
  }
}

function failure(id, failureMessage) {
  return { id, name: id, timeSpentMs: 0, status: TestStatus.Failed, failureMessage }
}

function resultOf(test, id) {
  if (test.mode === 'skip' && test.errors.length === 0) return []
  const name = { id, name: id, fileName: id.split(' > ')[0], timeSpentMs: test.duration ?? 0 }
  if (test.errors.length === 0) return [{ ...name, status: TestStatus.Success }]
  const errors = test.errors.map((error) => (Array.isArray(error) ? (error[0] ?? error[1]) : error))
  return [{ ...name, status: TestStatus.Failed, failureMessage: String(errors[0]?.stack ?? errors[0]) }]
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'specs', SpecRunner)]
