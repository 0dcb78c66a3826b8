import type { Command } from 'commander'
import type { CliContext } from '../context.js'
import { EXIT_TEXT } from '../exit-codes.js'
import { bashCompletion } from '../shell/bash.js'
import { commandTree } from '../shell/command-tree.js'
import { ENVIRONMENT } from '../shell/environment.js'
import { fishCompletion } from '../shell/fish.js'
import { manualPage } from '../shell/man.js'
import { zshCompletion } from '../shell/zsh.js'

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const
export type Shell = keyof typeof SHELLS

/** `touchmark completion SHELL`: made from the commands as they are, without asking anybody. */
export function completionCommand(context: CliContext, program: Command, shell: Shell): void {
  context.out(SHELLS[shell](commandTree(program)))
}

/** `touchmark man`. */
export function manCommand(context: CliContext, program: Command): void {
  const version = program.version() ?? ''
  context.out(manualPage(commandTree(program), { version, environment: ENVIRONMENT, exitCodes: EXIT_TEXT }))
}
