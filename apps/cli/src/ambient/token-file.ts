import { utf8Decode } from '@touchmark/encoding'
import { tokenPayload } from '@touchmark/sign'
import { exists, readInput } from '../files.js'
import { ABSENT, READY, type AmbientProvider, type AmbientOutside, type Detected, variable } from './provider.js'

const LIMIT_BYTES = 64 * 1024

/** Reads a token that a system keeps fresh in a file. Throws CLI_FILE_UNREADABLE. */
export async function readTokenFile(path: string): Promise<string> {
  return utf8Decode(await readInput(path, LIMIT_BYTES)).trim()
}

/**
 * A token file that is meant for whoever it names: usable only when it names the audience that is wanted. A file for another service (a cloud's own
 * token exchange, say) is left alone: sent to a CA, it could be spent at that service.
 */
export async function detectTokenFile(path: string, audience: string): Promise<Detected> {
  const lacks = (what: string): Detected => ({
    state: 'lacks',
    what,
    hint: `Have a token for the audience "${audience}" written to ${path}, or to another file that TOUCHMARK_TOKEN_FILE names.`,
  })
  let token
  try {
    if (!(await exists(path))) return lacks(`there is no ${path}`)
    token = await readTokenFile(path)
  } catch {
    return lacks(`${path} cannot be read, or is too large`)
  }
  const audiences = audiencesOf(token)
  if (audiences === undefined) return lacks(`${path} holds no JWT`)
  if (!audiences.includes(audience)) return lacks(`the token in ${path} is for ${audiences.join(', ') || 'nobody'}`)
  return READY
}

/** A provider whose token is in the file that a variable names. */
export function fileProvider(name: string, variableName: string): AmbientProvider {
  const pathOf = (outside: AmbientOutside): string | undefined => variable(outside, variableName)
  return {
    name,
    async detect(outside, audience) {
      const path = pathOf(outside)
      return path === undefined ? ABSENT : detectTokenFile(path, audience)
    },
    token: (outside) => readTokenFile(pathOf(outside) ?? ''),
  }
}

/** The audiences of a JWT; undefined for what is none. */
export function audiencesOf(token: string): string[] | undefined {
  try {
    const audience = tokenPayload(token)['aud']
    return (Array.isArray(audience) ? audience : [audience]).filter((one): one is string => typeof one === 'string')
  } catch {
    return undefined
  }
}
