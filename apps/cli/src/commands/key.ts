import { base64Encode } from '@touchmark/encoding'
import type { Signer } from '@touchmark/crypto'
import { nodeCrypto } from '@touchmark/crypto/node'
import {
  encodePublicKeyFile,
  generateKey,
  importPrivateKey,
  KEY_TYPES,
  keyTypeName,
  MAX_KEY_FILE_BYTES,
} from '@touchmark/keyfile'
import { managedKey } from '@touchmark/sign'
import type { CliContext } from '../context.js'
import { readInput } from '../files.js'
import { openKeyFile, planPair, writePair, type PairOptions, type PairPaths } from '../keys/key-files.js'
import type { PasswordOptions } from '../keys/password.js'
import { printJson, Progress, rows } from '../output.js'

/** `touchmark key generate`: a new key, encrypted, and its public half. */
export async function generateKeyCommand(context: CliContext, options: PairOptions & { type: string }): Promise<void> {
  const paths = await planPair(options)
  const progress = new Progress(context)
  progress.show('making the key …')
  const signer = await generateKey(KEY_TYPES.get(options.type)!).finally(() => progress.clear())
  await writePair(context, signer, paths, options)
  reportPair(context, signer, paths)
}

/** `touchmark key import`: a key that OpenSSL or another program made, encrypted, and its public half. */
export async function importKeyCommand(context: CliContext, options: PairOptions & { key: string }): Promise<void> {
  const paths = await planPair(options)
  const file = await readInput(options.key, MAX_KEY_FILE_BYTES)
  const signer = await importPrivateKey(file).finally(() => file.fill(0))
  await writePair(context, signer, paths, options)
  reportPair(context, signer, paths)
}

/** `touchmark key public`: the public half of a key file, on standard output. */
export async function publicKeyCommand(context: CliContext, options: PasswordOptions & { key: string }): Promise<void> {
  const signer = await openKeyFile(context, options.key, options)
  if (context.json) return printJson(context, describe(signer))
  context.out(encodePublicKeyFile(signer.publicKey))
}

function reportPair(context: CliContext, signer: Signer, { privateKey, publicKey }: PairPaths): void {
  const found = describe(signer)
  if (found.type === 'Ed25519')
    context.err('cosign cannot sign or verify with Ed25519 keys; touchmark can. For both, use P-256.\n')
  if (context.json) return printJson(context, { privateKeyFile: privateKey, publicKeyFile: publicKey, ...found })
  context.out(
    rows(
      [
        ['private key', `${privateKey} (encrypted; keep it to yourself)`],
        ['public key', `${publicKey} (for those who verify)`],
        ['type', found.type],
        ['hint', found.hint],
      ],
      '',
    ),
  )
}

function describe(signer: Signer): { type: string; hint: string; publicKey: string } {
  const { publicKey } = signer
  return {
    type: keyTypeName(publicKey.type),
    hint: managedKey(signer, nodeCrypto).hint,
    publicKey: base64Encode(publicKey.spki),
  }
}
