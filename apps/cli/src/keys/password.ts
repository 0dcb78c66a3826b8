import { readAtMost } from '@touchmark/encoding'
import type { CliContext } from '../context.js'
import { CliError } from '../errors.js'
import { readInput } from '../files.js'
import { askHidden, processTerminal, type Terminal } from './hidden-prompt.js'

/** More than any password has; what is in a file of this size is something else. */
const LIMIT_BYTES = 64 << 10

export interface PasswordOptions {
  /** `--password-file`: a file, or `-` for all of standard input. */
  readonly passwordFile?: string
}

/**
 * The password of a key file: `--password-file`, `TOUCHMARK_KEY_PASSWORD`, `COSIGN_PASSWORD`, or a person at a terminal. A variable that is set and empty
 * is the empty password. `purpose` "new" has a person type it twice. The bytes are the caller's, to be overwritten.
 * Throws CLI_PASSWORD_MISSING, CLI_PASSWORD_DIFFERS, CLI_FILE_UNREADABLE.
 */
export async function readPassword(
  context: CliContext,
  options: PasswordOptions,
  purpose: 'open' | 'new',
  terminal: Terminal = processTerminal(context),
): Promise<Uint8Array> {
  if (options.passwordFile === '-') return fromStandardInput(terminal)
  if (options.passwordFile !== undefined) return withoutNewline(await readInput(options.passwordFile, LIMIT_BYTES))
  const { TOUCHMARK_KEY_PASSWORD: own, COSIGN_PASSWORD: cosigns } = context.environment
  const given = own ?? cosigns
  if (given !== undefined) return new Uint8Array(Buffer.from(given))
  if (!terminal.canAsk)
    throw new CliError('CLI_PASSWORD_MISSING', 'the key file needs a password, and there is no terminal to ask at', {
      hint: 'Set TOUCHMARK_KEY_PASSWORD, or pass --password-file FILE (`-` for standard input).',
    })
  if (purpose === 'open') return askHidden(terminal, 'Password of the key: ')
  const first = await askHidden(terminal, 'New password of the key: ')
  const second = await askHidden(terminal, 'The same password again: ')
  const same = Buffer.compare(first, second) === 0
  second.fill(0)
  if (same) return first
  first.fill(0)
  throw new CliError('CLI_PASSWORD_DIFFERS', 'the two passwords are not the same', { hint: 'Try again.' })
}

/** All of it, as cosign reads a pipe: a newline at the end belongs to the password. */
async function fromStandardInput({ input }: Terminal): Promise<Uint8Array> {
  const bytes = await readAtMost(input, LIMIT_BYTES)
  if (bytes !== undefined) return bytes
  throw new CliError('CLI_FILE_UNREADABLE', 'the password on standard input cannot be read', {
    found: `more than ${LIMIT_BYTES} bytes`,
  })
}

/** Editors end a file with a newline that nobody means. */
function withoutNewline(bytes: Uint8Array): Uint8Array {
  let { length } = bytes
  if (bytes[length - 1] === 0x0a) length--
  if (length < bytes.length && bytes[length - 1] === 0x0d) length--
  // A copy, also of a Buffer, whose `slice` is none.
  const password = new Uint8Array(bytes.subarray(0, length))
  bytes.fill(0)
  return password
}
