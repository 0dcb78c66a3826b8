import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const exec = promisify(execFile)
/** A log of a million entries takes a small part of it. */
const LONGEST_MS = 600_000

/**
 * Tessera's fsck over the log at an address; resolves with the size that it checked. Throws what it says when it does not accept the log: its exit code
 * is 0 even then (v1.0.4), so only its sentence about a success counts. After some damage (a full tile that differs) it waits for ever: then it is ended.
 */
export async function tesseraAccepts(fsck, key, url) {
  const args = ['-public_key', key, '-storage_url', url, '-ui=false']
  const { stderr } = await exec(fsck, args, { maxBuffer: 64 << 20, timeout: LONGEST_MS })
  const size = /Successfully fsck'd log with size (\d+)/.exec(stderr)?.[1]
  if (size === undefined) throw new Error(stderr.slice(0, 2000) || 'fsck said nothing')
  return BigInt(size)
}
