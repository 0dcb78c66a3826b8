import type { Command } from 'commander'
import { action, example, instanceFlags } from './command-parts.js'

function verifyFlags(command: Command): Command {
  return instanceFlags(command)
    .option('--certificate-identity <name>', 'who must have signed: e-mail address or URI')
    .option('--certificate-identity-regexp <pattern>', 'the same as a pattern that must match the whole name')
    .option('--certificate-oidc-issuer <url>', 'who must have vouched for the signer')
    .option('--trusted-root <file>', 'the trusted root to verify against, instead of an instance')
    .option('--bundle <file>', 'the bundle (with one file)')
}

/** verify, verify-attestation. */
export function verifying(root: Command): void {
  verifyFlags(
    root
      .command('verify')
      .argument('<file...>', 'files to verify, or sha256:<hex>')
      .description('verify files against their bundles; offline'),
  )
    .addHelpText(
      'after',
      example(
        'touchmark verify app.tar.gz --certificate-identity dev@example.com --certificate-oidc-issuer https://login.example.com',
      ),
    )
    .action(
      action(async (context, files, options) =>
        (await import('../commands/verify.js')).verifyCommand(context, files, options),
      ),
    )
  verifyFlags(
    root
      .command('verify-attestation')
      .argument('<file...>', 'files the statement is about')
      .description('verify in-toto statements about files; offline'),
  )
    .option('--type <type>', 'the predicate type that the statement must have')
    .addHelpText(
      'after',
      example(
        'touchmark verify-attestation app.tar.gz --type slsaprovenance1 --certificate-identity … --certificate-oidc-issuer …',
      ),
    )
    .action(
      action(async (context, files, options) =>
        (await import('../commands/verify.js')).verifyAttestationCommand(context, files, options),
      ),
    )
}
