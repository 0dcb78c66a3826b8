import { isCodedError } from '@touchmark/errors'
import { parseCommand, USAGE, UsageError } from './protocol.mjs'

/** What a conformance runner sees: it only asks whether it is 0, and a person can tell a refusal from a fault. */
export const EXIT = { ok: 0, refused: 1, usage: 2, fault: 70 }

/** Runs one command of the protocol; resolves with the exit code. Says why on standard error, and nothing on standard output. */
export async function main(argv, environment) {
  const say = (text) => void process.stderr.write(`${text}\n`)
  try {
    const command = parseCommand(argv, environment)
    // Each part is loaded only when it is used: verifying needs no HTTP.
    if (command.name === 'verify-bundle') await (await import('./verify-bundle.mjs')).verifyBundleCommand(command)
    else await (await import('./sign-bundle.mjs')).signBundleCommand(command)
    return EXIT.ok
  } catch (error) {
    if (error instanceof UsageError) {
      say(`${error.message}\n${USAGE}`)
      return EXIT.usage
    }
    if (isCodedError(error)) {
      const { expected, found } = error.details
      const more = expected === undefined ? '' : ` (expected ${expected}, found ${found ?? 'nothing'})`
      say(printable(`refused: ${error.code}: ${error.message}${more}`))
      return EXIT.refused
    }
    if (typeof error?.code === 'string' && error.syscall !== undefined) {
      say(printable(`refused: FILE_${error.code}: ${error.path ?? error.syscall}`))
      return EXIT.refused
    }
    say(printable(String(error?.stack ?? error)))
    return EXIT.fault
  }
}

/** Parts of messages come from bundles: no control characters reach a terminal. */
function printable(text) {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/g, '?').slice(0, 4000)
}
