import type { Command } from 'commander'
import { action, count, example, instanceFlags } from './command-parts.js'

/** Who must have signed, and what vouches for it. */
export function signerFlags(command: Command): Command {
  return instanceFlags(command)
    .option('--certificate-identity <name>', 'who must have signed: e-mail address or URI')
    .option('--certificate-identity-regexp <pattern>', 'the same as a pattern that must match the whole name')
    .option('--certificate-oidc-issuer <url>', 'who must have vouched for the signer')
    .option('--key <file>', 'the public key of the signer (PEM), instead of an identity')
    .option('--policy <file>', 'a policy file: who may sign which files, instead of an identity')
    .option('--trusted-root <file>', 'the trusted root to verify against, instead of an instance')
}

function verifyFlags(command: Command): Command {
  return signerFlags(command)
    .option('--bundle <file>', 'the bundle (with one file)')
    .option(
      '--exclude <pattern>',
      'leave out files whose name fits; may be given again',
      (pattern: string, before: readonly string[] = []) => [...before, pattern],
    )
    .option('--threads <n>', 'threads that verify (default: one a core where it is worth it; 0: none)', count(0, 64))
}

/** verify, verify-attestation. */
export function verifying(root: Command): void {
  verifyFlags(
    root
      .command('verify')
      .argument('<file...>', 'files, folders, or sha256:<hex> with --bundle')
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
      .argument('<file...>', 'files, folders, or sha256:<hex> with --bundle')
      .description('verify in-toto statements about files; offline'),
  )
    .option('--type <type>', 'the predicate type that the statement must have')
    .option('--statement-out <file>', 'where the verified statement goes, byte for byte (with one file)')
    .option('--predicate-out <file>', 'the same for its predicate')
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
  root
    .command('policy')
    .description('policy files of `touchmark verify --policy`')
    .command('check')
    .argument('<policy>', 'the policy file')
    .argument('[name...]', 'names of files: say which rule is about each')
    .option('--attestations', 'ask for the rules about attestations of the files')
    .description('check a policy file, and say which rule is about which file')
    .addHelpText('after', example('touchmark policy check release-policy.json dist/app.tar.gz'))
    .action(
      action(async (context, args, options) =>
        (await import('../commands/policy.js')).policyCheckCommand(context, args, options),
      ),
    )
}
