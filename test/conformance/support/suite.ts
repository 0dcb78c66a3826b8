import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe } from '@jest/globals'
import { outsideVectors } from '../../support/outside-vectors.mjs'

const suite = outsideVectors('sigstore-conformance')

/** The names of the suite's folders: each is a case, and its README says why it must pass or fail. Empty where the suite is absent. */
export const cases =
  suite === undefined
    ? []
    : readdirSync(join(suite, 'bundle-verify'), { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name)

/** A block that is skipped, and says so, where the suite is absent. */
export const describeSuite: (title: string, tests: () => void) => void =
  suite === undefined
    ? (title, tests) => describe.skip(`${title} (absent: TOUCHMARK_VECTORS names no folder)`, tests)
    : describe

const BEACON =
  'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main'

/** The files of a case, and who must have signed; where it has none of its own, those of the suite. */
export interface SuiteCase {
  readonly artifact: string
  readonly bundle: string
  readonly trustedRoot: string
  readonly signer: { readonly key: string } | { readonly identity: string; readonly issuer: string }
}

export function suiteCase(name: string): SuiteCase {
  if (suite === undefined) throw new Error('sigstore-conformance is absent')
  const own = (path: string): string => join(suite, 'bundle-verify', name, path)
  const ownOr = (path: string, otherwise: string): string =>
    existsSync(own(path)) ? own(path) : join(suite, otherwise)
  const textOr = (path: string, otherwise: string): string =>
    existsSync(own(path)) ? readFileSync(own(path), 'utf8').trim() : otherwise
  return {
    artifact: ownOr('artifact', 'a.txt'),
    bundle: own('bundle.sigstore.json'),
    trustedRoot: ownOr('trusted_root.json', 'public-good.trusted_root.json'),
    signer: existsSync(own('key.pub'))
      ? { key: own('key.pub') }
      : {
          identity: textOr('identity', BEACON),
          issuer: textOr('issuer', 'https://token.actions.githubusercontent.com'),
        },
  }
}
