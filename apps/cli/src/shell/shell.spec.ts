import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { program } from '../main.js'
import { EXIT_TEXT } from '../exit-codes.js'
import { bashCompletion } from './bash.js'
import { commandTree, everyCommand } from './command-tree.js'
import { ENVIRONMENT } from './environment.js'
import { fishCompletion } from './fish.js'
import { manualPage } from './man.js'
import { zshCompletion } from './zsh.js'

const tree = commandTree(program())
const manual = manualPage(tree, { version: '1.2.3', environment: ENVIRONMENT, exitCodes: EXIT_TEXT })
const has = (tool: string, ...args: string[]): boolean => spawnSync(tool, args).status === 0
const onlyWith = (there: boolean): typeof it => (there ? it : (it.skip as typeof it))

/** What bash offers for the last of these words. */
function offered(words: readonly string[], folder = '.'): string[] {
  const script = `${bashCompletion(tree)}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; cd '${folder}'; _touchmark; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8' })
  expect(stderr).toBe('')
  return stdout.split('\n').filter((line) => line !== '')
}

describe('the tree of commands', () => {
  it('has an example for every command', () => {
    const without = everyCommand(tree).filter(({ commands, example }) => commands.length === 0 && example === undefined)
    expect(without.map(({ path }) => path.join(' '))).toEqual([])
  })

  it('knows what a value is', () => {
    const flags = new Map(everyCommand(tree).flatMap(({ flags }) => flags.map((flag) => [flag.long, flag.value])))
    expect([flags.get('--trusted-root'), flags.get('--data'), flags.get('--demo-issuer'), flags.get('--json')]).toEqual(
      ['file', 'folder', { choices: ['auto', 'on', 'off'] }, undefined],
    )
  })
})

describe('bash', () => {
  it.each<[string[], string[]]>([
    [['touchmark', 'verify-'], ['verify-attestation']],
    [['touchmark', 'log', 'pr'], ['prove']],
    [['touchmark', 'log', 'prove', '--bun'], ['--bundle']],
    [['touchmark', '--json', 'log', 'sho'], ['show']],
    [['touchmark', 'sign', '--bundle', 'log', '--over'], ['--overwrite']],
    [
      ['touchmark', 'up', '--demo-issuer', 'o'],
      ['on', 'off'],
    ],
    [['touchmark', 'completion', 'f'], ['fish']],
    [['touchmark', 'no-such-command', ''], []],
  ])('completes %j', (words, wanted) => {
    expect(offered(words)).toEqual(wanted)
  })

  it('completes files, also with spaces in their names', () => {
    const folder = mkdtempSync(join(tmpdir(), 'touchmark-completion-'))
    try {
      writeFileSync(join(folder, 'an artifact.txt'), '')
      expect(offered(['touchmark', 'sign', 'an'], folder)).toEqual(['an artifact.txt'])
      expect(offered(['touchmark', 'verify', 'x', '--bundle', 'an'], folder)).toEqual(['an artifact.txt'])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('zsh and fish', () => {
  it.each([
    ['zsh', zshCompletion(tree)],
    ['fish', fishCompletion(tree)],
  ])('%s knows every command and flag', (_shell, text) => {
    for (const { name, flags } of everyCommand(tree)) {
      expect(text).toContain(name)
      for (const { long } of flags) expect(text).toMatch(new RegExp(`(--|-l )${long.slice(2)}\\b`))
    }
  })

  onlyWith(has('zsh', '--version'))('zsh takes the script', () => {
    expect(spawnSync('zsh', ['-n'], { input: zshCompletion(tree), encoding: 'utf8' })).toMatchObject({
      status: 0,
      stderr: '',
    })
  })

  onlyWith(has('fish', '--version'))('fish completes with the script', () => {
    const ask = (line: string): string[] =>
      spawnSync('fish', ['--no-config', '-c', `${fishCompletion(tree)}\ncomplete -C '${line}'`], { encoding: 'utf8' })
        .stdout.split('\n')
        .map((one) => one.split('\t')[0]!)
        .filter((one) => one !== '')
    expect(ask('touchmark verify-')).toEqual(['verify-attestation'])
    expect(ask('touchmark log pr')).toEqual(['prove'])
    expect(ask('touchmark log prove --bun')).toEqual(['--bundle'])
    expect(ask('touchmark up --demo-issuer o')).toEqual(['off', 'on'])
  })
})

describe('the manual page', () => {
  it('has every command, flag, variable and exit code', () => {
    const plain = manual.replaceAll('\\-', '-')
    for (const { commands, path, flags } of everyCommand(tree)) {
      if (commands.length === 0) expect(plain).toContain(`.SS touchmark ${path.join(' ')}`)
      for (const { long } of flags) if (long !== '--help') expect(plain).toContain(long)
    }
    for (const [name] of ENVIRONMENT) expect(plain).toContain(`.B ${name}\n`)
    for (const [code, text] of EXIT_TEXT) expect(plain).toContain(`.B ${code}\n${text}\n`)
  })

  it('begins no line with a request that is none', () => {
    const requests = manual.split('\n').flatMap((line) => /^\.(\S*)/.exec(line)?.[1] ?? [])
    expect([...new Set(requests)].sort()).toEqual(
      ['B', 'PP', 'RE', 'RI', 'RS', 'SH', 'SS', 'TH', 'TP', '\\"', 'fi', 'nf'].sort(),
    )
    expect(manual).toMatch(/^[\x20-\x7e\n]*$/)
  })

  it('has every variable that a flag names', () => {
    const named = everyCommand(tree).flatMap(({ flags }) =>
      flags.flatMap(({ description }) => description.match(/TOUCHMARK_[A-Z_]+/g) ?? []),
    )
    const known: readonly string[] = ENVIRONMENT.map(([name]) => name)
    expect([...new Set(named)].filter((name) => !known.includes(name))).toEqual([])
  })

  it('names the variables that docs/cli.md describes', () => {
    const pages = readFileSync('docs/cli.md', 'utf8')
    expect(ENVIRONMENT.map(([name]) => name).filter((name) => !pages.includes(`\`${name}\``))).toEqual([])
  })

  onlyWith(has('mandoc', '-Tascii', '/dev/null'))('is in order for mandoc', () => {
    const { stdout, stderr } = spawnSync('mandoc', ['-Tlint', '-Wwarning'], { input: manual, encoding: 'utf8' })
    const said = `${stdout}${stderr}`.split('\n').filter((line) => line !== '' && !line.includes('missing date'))
    expect(said).toEqual([])
  })
})
