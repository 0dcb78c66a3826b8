/** The command line is not one of the protocol. */
export class UsageError extends Error {}

export const USAGE = `usage:
  client verify-bundle [--staging] --bundle FILE --certificate-identity ID --certificate-oidc-issuer URL [--trusted-root FILE] FILE_OR_DIGEST
  client verify-bundle [--staging] --bundle FILE --key FILE [--trusted-root FILE] FILE_OR_DIGEST
  client sign-bundle [--staging] [--in-toto] --identity-token TOKEN --bundle FILE [--trusted-root FILE] [--signing-config FILE] FILE`

const FLAGS = {
  'verify-bundle': ['--bundle', '--certificate-identity', '--certificate-oidc-issuer', '--key', '--trusted-root'],
  'sign-bundle': ['--identity-token', '--bundle', '--trusted-root', '--signing-config'],
}
const SWITCHES = { 'verify-bundle': ['--staging'], 'sign-bundle': ['--staging', '--in-toto'] }

/**
 * Reads a command line of the protocol: `{ name, artifact, bundle, … }`, names without dashes. Throws {@link UsageError}.
 * The roots of Sigstore's own instances are not part of Touchmark: without `--trusted-root` it is the file that TOUCHMARK_CONFORMANCE_ROOT
 * (with `--staging`: TOUCHMARK_CONFORMANCE_STAGING_ROOT) names.
 */
export function parseCommand([name, ...rest], environment) {
  if (!Object.hasOwn(FLAGS, name ?? '')) throw new UsageError(`there is no command ${name ?? ''}`)
  const given = {}
  const artifacts = []
  for (let at = 0; at < rest.length; at++) {
    const word = rest[at]
    if (SWITCHES[name].includes(word)) given[word] = true
    else if (FLAGS[name].includes(word)) {
      if (at + 1 >= rest.length) throw new UsageError(`${word} needs a value`)
      if (given[word] !== undefined) throw new UsageError(`${word} is given twice`)
      given[word] = rest[++at]
    } else if (word.startsWith('--')) throw new UsageError(`${name} has no ${word}`)
    else artifacts.push(word)
  }
  if (artifacts.length !== 1) throw new UsageError(`${name} takes one artifact, not ${artifacts.length}`)
  const needed = (flag) => {
    if (given[flag] === undefined) throw new UsageError(`${name} needs ${flag}`)
    return given[flag]
  }
  const staging = given['--staging'] === true
  const common = {
    name,
    artifact: artifacts[0],
    bundle: needed('--bundle'),
    trustedRoot: given['--trusted-root'] ?? defaultRoot(staging, environment),
  }
  if (name === 'sign-bundle') {
    if (given['--signing-config'] === undefined)
      throw new UsageError(
        `pass --signing-config: the one of Sigstore's ${staging ? 'staging' : 'public-good'} instance is not part of Touchmark`,
      )
    return {
      ...common,
      inToto: given['--in-toto'] === true,
      token: needed('--identity-token'),
      signingConfig: given['--signing-config'],
    }
  }
  if (given['--key'] === undefined)
    return { ...common, identity: needed('--certificate-identity'), issuer: needed('--certificate-oidc-issuer') }
  if (given['--certificate-identity'] !== undefined || given['--certificate-oidc-issuer'] !== undefined)
    throw new UsageError('a key has no identity: pass --key or --certificate-identity')
  return { ...common, key: given['--key'] }
}

function defaultRoot(staging, environment) {
  const variable = staging ? 'TOUCHMARK_CONFORMANCE_STAGING_ROOT' : 'TOUCHMARK_CONFORMANCE_ROOT'
  const named = environment[variable]
  if (named !== undefined && named !== '') return named
  throw new UsageError(
    `pass --trusted-root, or set ${variable}: the root of Sigstore's ${staging ? 'staging' : 'public-good'} instance is not part of Touchmark, and it is fetched from nowhere`,
  )
}
