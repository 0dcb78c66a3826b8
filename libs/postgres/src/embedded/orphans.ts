import { lstat, readFile, readdir, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { readPidFile } from './postmaster.js'
import { stopServer } from './server.js'

/**
 * Removes the clusters in `folder` whose dataDir was in a folder for temporary files and is gone: what demos and tests
 * that were killed left behind. Any other cluster stays, whether its dataDir can be seen or not: the disk may only not
 * be mounted.
 */
export async function removeOrphans(folder: string, log: (line: string) => void): Promise<void> {
  const temporary = await temporaryFolders()
  for (const name of await readdir(folder)) {
    const place = join(folder, name)
    const origin = (await readFile(join(place, 'origin'), 'utf8').catch(() => '')).trimEnd()
    if (!temporary.some((above) => origin.startsWith(above + sep)) || !(await isGone(origin))) continue
    log(`removing ${place}: ${origin} is gone`)
    const dataFolder = join(place, 'cluster', 'data')
    const found = await readPidFile(dataFolder)
    if (found) await stopServer(found.pid, dataFolder)
    await rm(place, { recursive: true, force: true })
  }
}

async function temporaryFolders(): Promise<string[]> {
  const all = ['/tmp', '/var/tmp', tmpdir()]
  const real = await Promise.all(all.map((path) => realpath(path).catch(() => path)))
  return [...new Set([...all, ...real])]
}

async function isGone(path: string): Promise<boolean> {
  return lstat(path).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
  )
}
