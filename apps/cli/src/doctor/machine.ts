import { stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { CliContext } from '../context.js'
import { CliError } from '../errors.js'
import { writePrivate } from '../files.js'
import { whyOpen } from '../private-file.js'
import { finding, ok, problem, warning, type Finding } from './finding.js'

/** `engines` of package.json. */
const LEAST_NODE = [20, 19] as const

/** The Node.js that runs this. */
export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1]))
    return ok('node', `Node.js ${version}`)
  const error = new CliError('CLI_MACHINE_NODE', 'this Node.js is too old', {
    expected: `${LEAST_NODE.join('.')} or later`,
    found: version,
    hint: 'Install a newer Node.js.',
  })
  return problem('node', error)
}

/** The folder of trust roots and logins: it must be writable, and by its owner alone. */
export function checkHome(context: CliContext): Promise<Finding> {
  const { home } = context
  const todo = `Check the permissions of ${home}, or name another folder with TOUCHMARK_HOME.`
  const work = async (): Promise<Finding> => {
    const probe = join(home, `doctor-${process.pid}.tmp`)
    await writePrivate(probe, '')
    await unlink(probe)
    const found = await stat(home)
    // Who can write here can say whom this machine trusts.
    if (whyOpen({ ...found, mode: found.mode & 0o022 }) !== undefined) {
      throw new CliError('CLI_MACHINE_HOME', 'others can change whom this machine trusts', {
        expected: `${home} writable by its owner alone`,
        found: `mode 0${(found.mode & 0o777).toString(8)}${whyOpen({ ...found, mode: 0 }) === undefined ? '' : ', and another owner'}`,
        hint: `chmod 700 ${home}`,
      })
    }
    return (found.mode & 0o077) === 0
      ? ok('home', `${home} can be written`)
      : warning('home', `others can look into ${home}`, `chmod 700 ${home}`)
  }
  return finding('home', work, todo)
}
