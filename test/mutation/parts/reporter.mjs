// Stryker's reporter: progress on stderr, and the report kept for run.mjs.
import { relative } from 'node:path'
import { declareClassPlugin, PluginKind } from '@stryker-mutator/api/plugin'

/** The report of the last run, as in the mutation testing report schema. */
export const last = { report: undefined }

const EVERY_MS = 5000

class Reporter {
  static inject = []
  #total = 0
  #tested = 0
  #survived = 0
  #told = performance.now()

  onDryRunCompleted({ result }) {
    process.stderr.write(`  ${result.tests.length} tests pass on the unchanged code\n`)
  }

  onMutationTestingPlanReady({ mutantPlans }) {
    this.#total = mutantPlans.filter(({ plan }) => plan === 'Run').length
  }

  onMutantTested({ status, fileName, location, mutatorName, replacement }) {
    if (status === 'Ignored') return
    this.#tested++
    if (status === 'Survived' || status === 'NoCoverage') {
      this.#survived++
      const at = `${relative(process.cwd(), fileName)}:${location.start.line}:${location.start.column}`
      process.stderr.write(`  survives ${at} ${mutatorName} -> ${replacement?.slice(0, 80) ?? ''}\n`)
    }
    if (performance.now() - this.#told < EVERY_MS) return
    this.#told = performance.now()
    process.stderr.write(`  ${this.#tested} of ${this.#total} mutants, ${this.#survived} survived\n`)
  }

  onMutationTestReportReady(report) {
    last.report = report
  }
}

export const strykerPlugins = [declareClassPlugin(PluginKind.Reporter, 'touchmark', Reporter)]
