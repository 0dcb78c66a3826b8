// The differential test with sigstore-go, in its short form; without Go the other judge is asked alone.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from './stack.mjs'

const exec = promisify(execFile)
const CASES = '1000'

export async function testDifferential({ report, requireGo }) {
  console.log('\ndifferential')
  const title = `${CASES} changed bundles are judged alike, or there is a reason`
  const args = ['--cases', CASES, '--seed', '2', ...(requireGo ? ['--require-go'] : [])]
  let problem
  await exec(process.execPath, [join(root, 'test', 'differential', 'run.mjs'), ...args], { maxBuffer: 64 << 20 }).then(
    ({ stdout }) => console.log(stdout),
    (error) => {
      problem = `${error.stdout}\n${error.stderr}`.trim().slice(-4000)
    },
  )
  report(title, problem)
}
