import { parseBundle } from '@touchmark/bundle'
import { base64Encode, equalBytes, hexEncode, parseJson } from '@touchmark/encoding'
import { parseEntryBody, type EntrySignature } from '@touchmark/entry'
import { isCodedError } from '@touchmark/errors'
import { describeSigner, parseCertificate } from '../signer-text.js'
import type { CliContext } from '../context.js'
import { CliError } from '../errors.js'
import { readInput } from '../files.js'
import { LogReader, type ProvenEntry } from '../log-reader.js'
import { printableLines, printJson, rows } from '../output.js'
import { trustInstance, type InstanceOptions } from '../trust-store.js'

/** `touchmark log show INDEX`: an entry in words, proven. */
export async function logShow(context: CliContext, indexText: string, options: InstanceOptions): Promise<void> {
  const index = indexOf(indexText)
  const reader = await openReader(context, options)
  const entry = await reader.entry(index)
  if (context.json) return printJson(context, { ...proofJson(entry), body: parseJson(entry.body) })
  context.out(
    rows(
      [
        ['log', reader.url],
        ['index', `${entry.index} of ${entry.checkpoint.size}`],
        ['leaf hash', hexEncode(entry.leafHash)],
      ],
      '',
    ),
  )
  context.out(rows(describeBody(entry.body)))
  context.out(
    `proven: ${entry.proof.length === 1 ? '1 hash leads' : `${entry.proof.length} hashes lead`} from this entry to the log's newest signed root.\n`,
  )
}

/** `touchmark log prove INDEX` or `--bundle FILE`: the inclusion proof under the newest checkpoint. */
export async function logProve(
  context: CliContext,
  indexText: string | undefined,
  options: InstanceOptions & { bundle?: string },
): Promise<void> {
  if (indexText !== undefined && options.bundle !== undefined)
    throw new CliError('CLI_USAGE', 'give an index or --bundle FILE, not both')
  const entry =
    options.bundle === undefined
      ? await entryAt(context, indexOf(indexText), options)
      : await entryOfBundle(context, options.bundle, options)
  if (context.json) return printJson(context, proofJson(entry))
  context.out(
    rows(
      [
        ['index', String(entry.index)],
        ['tree size', String(entry.checkpoint.size)],
        ['leaf hash', hexEncode(entry.leafHash)],
        ['root', hexEncode(entry.checkpoint.root)],
      ],
      '',
    ),
  )
  context.out(entry.proof.map((hash, i) => `${i === 0 ? 'path' : '    '}       ${hexEncode(hash)}\n`).join(''))
  context.out(
    `\n${printableLines(entry.checkpointNote)}\nproven: the entry is in the tree of this checkpoint, which the trusted key signed.\n`,
  )
}

async function openReader(context: CliContext, options: InstanceOptions): Promise<LogReader> {
  return new LogReader(context, (await trustInstance(context, options)).config.trustedRoot)
}

function indexOf(text: string | undefined): bigint {
  if (text === undefined || !/^\d{1,19}$/.test(text))
    throw new CliError('CLI_USAGE', 'give the index of an entry: a whole number, or --bundle FILE')
  return BigInt(text)
}

async function entryAt(context: CliContext, index: bigint, options: InstanceOptions): Promise<ProvenEntry> {
  return (await openReader(context, options)).entry(index)
}

/** The entry that a bundle holds, proven in its own log as it is now. */
async function entryOfBundle(context: CliContext, file: string, options: InstanceOptions): Promise<ProvenEntry> {
  const wanted = parseBundle(await readInput(file, 64 << 20)).tlogEntries[0]
  if (wanted === undefined) throw new CliError('CLI_ENTRY_NOT_FOUND', `${file} holds no log entry`)
  const { trustedRoot } = (await trustInstance(context, options)).config
  const entry = await new LogReader(context, trustedRoot, wanted.logId).entry(wanted.logIndex)
  if (!equalBytes(entry.body, wanted.canonicalizedBody)) {
    throw new CliError('CLI_ENTRY_NOT_FOUND', `entry ${wanted.logIndex} of this log is not the one in ${file}`, {
      hint: 'The bundle may come from another instance, or from an older shard of this log.',
    })
  }
  return entry
}

function proofJson(entry: ProvenEntry): Record<string, unknown> {
  return {
    logIndex: entry.index,
    treeSize: entry.checkpoint.size,
    leafHash: hexEncode(entry.leafHash),
    rootHash: hexEncode(entry.checkpoint.root),
    hashes: entry.proof.map(hexEncode),
    checkpoint: entry.checkpointNote,
  }
}

function describeBody(bytes: Uint8Array): [string, string][] {
  const body = parseEntryBody(bytes)
  const digest = body.kind === 'hashedrekord' ? body.data : body.payloadHash
  const signatures = body.kind === 'hashedrekord' ? [body.signature] : body.signatures
  return [
    ['kind', `${body.kind} ${body.version}`],
    [body.kind === 'hashedrekord' ? 'digest' : 'payload', `${digest.algorithm} ${hexEncode(digest.digest)}`],
    ...signatures.flatMap(describeSignature),
  ]
}

function describeSignature({ content, verifier }: EntrySignature): [string, string][] {
  const signature: [string, string] = ['signature', base64Encode(content)]
  if (verifier.x509Certificate === undefined)
    return [['signed by', `a key (${verifier.keyDetails}) ${base64Encode(verifier.publicKey)}`], signature]
  try {
    return [...describeSigner(parseCertificate(verifier.x509Certificate)), signature]
  } catch (error) {
    if (!isCodedError(error)) throw error
    return [['signed by', 'a certificate that cannot be read'], signature]
  }
}
