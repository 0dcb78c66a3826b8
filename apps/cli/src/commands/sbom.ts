import { createHash } from 'node:crypto'
import { hexEncode, parseJson, utf8Decode } from '@touchmark/encoding'
import type { CliContext } from '../context.js'
import { CliError } from '../errors.js'
import { exists, writeWhole } from '../files.js'
import { printable, printJson, rows } from '../output.js'
import { attestedSbom, isOfType, sbomTypes, type AttestedSbom } from '../sbom/attested-sbom.js'
import { summaryOf } from '../sbom/summary.js'
import {
  verifiedStatements,
  type VerifiedStatement,
  type VerifiedStatementOptions,
} from '../verifying/verified-statement.js'

export interface SbomOptions extends Omit<VerifiedStatementOptions, 'predicateTypes'> {
  /** Where the SBOM goes, instead of standard output. */
  readonly output?: string
  readonly overwrite?: boolean
}

interface Found {
  readonly sbom: AttestedSbom
  readonly from: VerifiedStatement
}

/** `touchmark sbom get FILE`: the SBOM byte for byte as it was attested, once its attestation is found to hold, and not before. */
export async function sbomGetCommand(
  context: CliContext,
  files: readonly string[],
  options: SbomOptions,
  toTerminal = process.stdout.isTTY === true,
): Promise<void> {
  const file = files[0]!
  const { output } = options
  if (output !== undefined && options.overwrite !== true && (await exists(output))) throw isThere(output)
  const found = await findSbom(context, file, options)
  const text = utf8Decode(found.sbom.bytes)
  if (output !== undefined) await writeOutput(output, text, options)
  if (context.json)
    return printJson(context, { ...describe(file, found), ...(output === undefined ? { sbom: text } : { output }) })
  if (output !== undefined) return context.out(`wrote ${printable(output)}\n${rows(origin(found))}`)
  // A carriage return alone goes back to the beginning of the line, and what follows covers what was there.
  if (toTerminal && (/[^\P{C}\n\r\t]/u.test(text) || /\r(?!\n)/.test(text)))
    throw new CliError('CLI_USAGE', 'the SBOM holds control characters, which a terminal would obey', {
      hint: 'Pass --output FILE, or send standard output to a file or program.',
    })
  context.err(`verified ${printable(file)}\n${rows(origin(found))}`)
  context.out(text)
}

/** `touchmark sbom show FILE`: what the attested SBOM says, in a few lines. */
export async function sbomShowCommand(
  context: CliContext,
  files: readonly string[],
  options: SbomOptions,
): Promise<void> {
  const file = files[0]!
  const found = await findSbom(context, file, options)
  const { kind, bytes, format } = found.sbom
  if (kind === undefined)
    throw new CliError('CLI_SBOM_MISSING', `the attestation holds ${format}, of which there is no summary`, {
      expected: 'SPDX JSON, CycloneDX JSON or Syft JSON',
      found: format,
      hint: '`touchmark sbom get` prints it as it is.',
    })
  const summary = summaryOf(kind, parseJson(bytes, { maxDepth: 256 }))
  if (context.json) return printJson(context, { ...describe(file, found), summary })
  const { name, version, created, tools, components, licenses, withoutLicense } = summary
  const pairs: [string, string][] = []
  if (name !== undefined) pairs.push(['of', version === undefined ? name : `${name} ${version}`])
  if (created !== undefined) pairs.push(['made', created])
  if (tools.length > 0) pairs.push(['with', tools.join(', ')])
  pairs.push(['components', String(components)])
  for (const [license, count] of licenses) pairs.push(['licence', `${license} (${count})`])
  if (withoutLicense > 0) pairs.push(['no licence', String(withoutLicense)])
  context.out(`verified ${printable(file)}\n${rows([...origin(found), ...pairs])}`)
}

/** Verifies first; what does not hold is never looked into. Throws what the verification throws, CLI_USAGE for several, CLI_SBOM_MISSING for none. */
async function findSbom(context: CliContext, file: string, options: SbomOptions): Promise<Found> {
  const { type, ...rest } = options
  const predicateTypes = sbomTypes(type)
  const statements = await verifiedStatements(context, file, { ...rest, predicateTypes })
  const found = statements.flatMap((from) => {
    const sbom = attestedSbom(from.statement, from.payload)
    return sbom !== undefined && isOfType(sbom, predicateTypes) ? [{ sbom, from }] : []
  })
  const [first, ...others] = found
  if (first === undefined)
    throw new CliError('CLI_SBOM_MISSING', 'what is attested of this file is no SBOM', {
      expected: type ?? 'SPDX, CycloneDX or Syft JSON',
      found: statements.map(({ statement }) => statement.predicateType).join(', '),
      hint: 'Name the bundle of the SBOM with --bundle, or another --type.',
    })
  if (others.length > 0)
    throw new CliError('CLI_USAGE', `there are ${found.length} SBOMs of this file`, {
      expected: 'one',
      found: found.map(({ sbom, from }) => `${sbom.format} in ${from.bundle}`).join(', '),
      hint: 'Choose one with --type, or with --bundle.',
    })
  return first
}

async function writeOutput(output: string, text: string, options: SbomOptions): Promise<void> {
  try {
    await writeWhole(output, text, { replace: options.overwrite === true })
  } catch (error) {
    throw error instanceof CliError && error.code === 'CLI_FILE_EXISTS' ? isThere(output) : error
  }
}

function isThere(path: string): CliError {
  return new CliError('CLI_FILE_EXISTS', `${path} is there already`, { hint: 'Pass --overwrite to replace it.' })
}

function signerOf({ result: { signer } }: VerifiedStatement): [string, string][] {
  return signer.kind === 'certificate'
    ? [
        ['signed by', signer.subject.value],
        ['vouched for by', signer.issuer],
      ]
    : [['signed with', 'the key given']]
}

function origin({ sbom, from }: Found): [string, string][] {
  return [...signerOf(from), ['attested', `${sbom.format} (${sbom.predicateType})`]]
}

function describe(file: string, { sbom, from }: Found): Record<string, unknown> {
  const { signer } = from.result
  return {
    verified: true,
    file,
    bundle: from.bundle,
    signer:
      signer.kind === 'certificate'
        ? { identity: signer.subject.value, issuer: signer.issuer }
        : { key: hexEncode(signer.publicKey.spki) },
    predicateType: sbom.predicateType,
    format: sbom.format,
    sha256: createHash('sha256').update(sbom.bytes).digest('hex'),
  }
}
