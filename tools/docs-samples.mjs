// `npm run docs:samples`: makes the samples of docs/cli.md anew, by running the commands against a stack of its own.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeEmbeddedPostgres } from '@touchmark/postgres'
import { startStack } from '../test/interop/stack.mjs'
import { makeSamples, withSamples } from '../test/support/cli-samples.mjs'

const PAGE = join(import.meta.dirname, '..', 'docs', 'cli.md')
const folder = mkdtempSync(join(tmpdir(), 'touchmark-samples-'))
let stack
try {
  stack = await startStack(folder)
  const { stdout: token } = await stack.touchmark('token', '--email', 'ada@example.com')
  const made = await makeSamples({ url: stack.url, folder: join(folder, 'work'), token })
  if (process.argv.includes('--print')) for (const text of made.values()) console.log(text)
  else writeFileSync(PAGE, withSamples(readFileSync(PAGE, 'utf8'), made))
} finally {
  await stack?.stop()
  await removeEmbeddedPostgres(join(folder, 'data', 'postgres'))
  rmSync(folder, { recursive: true, force: true })
}
