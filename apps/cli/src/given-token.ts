import { CliError } from './errors.js'
import { exists, readInput } from './files.js'

const LIMIT_BYTES = 128 * 1024

/** The value of `--identity-token`: a token, or a file that holds one. A JWT begins with the base64 of `{`, in which it differs from a file name such as `token.prod.txt`. */
export async function tokenOrFile(value: string): Promise<string> {
  if (/^e[\w-]+\.[\w-]+\.[\w-]*$/.test(value) && startsAsJwt(value)) return value
  if (!(await exists(value))) {
    throw new CliError('CLI_FILE_UNREADABLE', '--identity-token is neither a token nor a file', {
      hint: 'Give a JWT, or the path of a file that holds one.',
    })
  }
  return Buffer.from(await readInput(value, LIMIT_BYTES))
    .toString('utf8')
    .trim()
}

function startsAsJwt(value: string): boolean {
  return Buffer.from(value.slice(0, 4), 'base64url')[0] === 0x7b
}
