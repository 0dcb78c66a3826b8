import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { isRunning, isServerOf, readPidFile } from './postmaster.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'touchmark-postmaster-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('readPidFile', () => {
  it('reads what a server writes', async () => {
    const text = `4711\n${folder}\n1700000000\n54321\n\n127.0.0.1\n  1234  5\nready   \n`
    await writeFile(join(folder, 'postmaster.pid'), text)
    expect(await readPidFile(folder)).toEqual({ pid: 4711, port: 54321, status: 'ready' })
  })

  it('finds none, and one that was only begun', async () => {
    expect(await readPidFile(folder)).toBeUndefined()
    await writeFile(join(folder, 'postmaster.pid'), '')
    expect(await readPidFile(folder)).toEqual({ pid: 0, port: undefined, status: '' })
    await writeFile(join(folder, 'postmaster.pid'), '-12\n')
    expect(await readPidFile(folder)).toEqual({ pid: 12, port: undefined, status: '' })
  })
})

describe('isServerOf', () => {
  it('takes no unrelated, ended or impossible process for the server', async () => {
    expect(await isRunning(process.pid)).toBe(true)
    expect(await isServerOf(process.pid, folder)).toBe(false)
    for (const pid of [0, 1, -1, 2 ** 22 + 1]) expect(await isServerOf(pid, folder)).toBe(false)
  })

  it('knows a process by its data folder', async () => {
    const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)', '--', '-D', folder])
    try {
      await new Promise((resolve) => child.once('spawn', resolve))
      expect(await isServerOf(child.pid!, folder)).toBe(true)
      expect(await isServerOf(child.pid!, join(folder, 'other'))).toBe(false)
    } finally {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await ended
    }
    expect(await isServerOf(child.pid!, folder)).toBe(false)
  })
})
