import type { Bundle } from '@touchmark/bundle'
import { signBlob } from '@touchmark/sign'
import type { CliContext } from '../context.js'
import { runSigning, type SignOptions } from '../signing/run-signing.js'
import { planTargets } from '../signing/targets.js'

/** An attestation about the file, under the same name, is another thing. */
const isSignature = ({ content }: Bundle): boolean => content.kind === 'message'

/** `touchmark sign FILE…`: one login, one key, one certificate, a bundle for each file. */
export async function signCommand(context: CliContext, files: readonly string[], options: SignOptions): Promise<void> {
  await runSigning(
    context,
    await planTargets(files, options, '.sigstore.json', isSignature),
    options,
    (_target, artifact, identity, services) => {
      if (!('bytes' in artifact)) throw new TypeError('a file is signed by its bytes')
      return signBlob(artifact.bytes, identity, services)
    },
  )
}
