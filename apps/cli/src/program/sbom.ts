import type { Command } from 'commander'
import { action, example } from './command-parts.js'
import { signerFlags } from './verifying.js'

function sbomFlags(command: Command): Command {
  return signerFlags(command.argument('<file>', 'the file that the SBOM is of, or sha256:<hex> with --bundle'))
    .option('--bundle <file>', 'the attestation, instead of those beside the file')
    .option('--type <type>', 'which SBOM, when there are several: spdxjson, spdx3json, cyclonedx, syftjson, or a URI')
}

const WHO = '--certificate-identity … --certificate-oidc-issuer …'

/** sbom get, sbom show. */
export function sbomCommands(root: Command): void {
  const sbom = root.command('sbom').description('read SBOMs from attestations that verify; offline')
  sbomFlags(sbom.command('get').description('print the SBOM of a file byte for byte as it was attested'))
    .option('--output <file>', 'write it there instead of to standard output')
    .option('--overwrite', 'replace a file that is there')
    .addHelpText('after', example(`touchmark sbom get app.tar.gz ${WHO} > sbom.json`))
    .action(
      action(async (context, files, options) =>
        (await import('../commands/sbom.js')).sbomGetCommand(context, files, options),
      ),
    )
  sbomFlags(sbom.command('show').description('show what the SBOM of a file says, in a few lines'))
    .addHelpText('after', example(`touchmark sbom show app.tar.gz ${WHO}`))
    .action(
      action(async (context, files, options) =>
        (await import('../commands/sbom.js')).sbomShowCommand(context, files, options),
      ),
    )
}
