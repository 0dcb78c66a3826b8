// The verifier's own vectors as cases for judge.mjs: sigstore-conformance, and the swap matrix.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { nodeCrypto } from '@touchmark/crypto/node'
import { pemEncode, utf8Encode } from '@touchmark/encoding'
import { outsideVectors } from '../support/outside-vectors.mjs'
import { TestInstance } from '../../libs/verify/dist/testing/instance.js'
import { FORMS, hintOf, sign } from '../../libs/verify/dist/testing/signing.js'
import { isSame, PARTS } from '../../libs/verify/dist/testing/swap-parts.js'
import { IDENTITIES } from '../../libs/verify/dist/testing/verifying.js'

/** Others' files, which are not part of this repository: where they lie, or undefined. */
export const conformanceFolder = () => outsideVectors('sigstore-conformance')

const BEACON =
  'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main'

/** Every folder of the suite, by path and by digest: `{ name, good, input }`. */
export function conformanceCases(suite) {
  const folders = readdirSync(join(suite, 'bundle-verify'), { withFileTypes: true }).filter((one) => one.isDirectory())
  return folders.flatMap(({ name }) => {
    const file = (path, otherwise) => {
      const own = join(suite, 'bundle-verify', name, path)
      return existsSync(own) ? own : otherwise && join(suite, otherwise)
    }
    const bytes = (path) => new Uint8Array(readFileSync(path))
    const text = (path, otherwise) => (file(path) ? readFileSync(file(path), 'utf8').trim() : otherwise)
    const artifact = bytes(file('artifact', 'a.txt'))
    const key = file('key.pub')
    const identity = {
      subject: { exact: text('identity', BEACON) },
      issuer: text('issuer', 'https://token.actions.githubusercontent.com'),
    }
    const input = {
      bundle: bytes(file('bundle.sigstore.json')),
      root: bytes(file('trusted_root.json', 'public-good.trusted_root.json')),
      policy: key ? {} : { identities: [identity] },
      ...(key ? { key: readFileSync(key, 'utf8') } : {}),
    }
    const good = !name.endsWith('_fail')
    const digest = { digest: nodeCrypto.hash('SHA2_256', artifact), algorithm: 'SHA2_256' }
    return [
      { name: `${name}, by path`, good, input: { ...input, artifact: { bytes: artifact } } },
      { name: `${name}, by digest`, good, input: { ...input, artifact: digest } },
    ]
  })
}

/**
 * The swap matrix (reliability.md V1): two valid bundles of each form, of one instance and of two; each part of the second put into the first.
 * `good` is undefined where both verdicts are possible; what Node says is then what a browser must say.
 */
export async function swapCases() {
  const one = await TestInstance.create()
  const two = await TestInstance.create()
  const cases = []
  for (const [of, second] of [
    ['one instance', one],
    ['two instances', two],
  ])
    for (const form of FORMS) cases.push(...(await swapsOf(form, one, second, of)))
  return cases
}

async function swapsOf(form, one, second, of) {
  const own = await sign(one, { form, artifact: utf8Encode('one') })
  const at = new Date('2026-06-01T12:00:07Z')
  const other = await sign(second, { form, artifact: utf8Encode('two'), at, followedBy: 5 })
  const byKey = form.material === 'publicKey'
  const keysByHint = new Map(
    [own, other].map(({ signer }) => [hintOf(signer), pemEncode('PUBLIC KEY', signer.publicKey.spki)]),
  )
  const inputOf = (signed, bundle, trusted) => ({
    bundle,
    root: trusted,
    artifact: { bytes: signed.artifact },
    policy: byKey ? {} : { identities: IDENTITIES },
    ...(byKey ? { keysByHint } : {}),
  })
  const swapped = Object.entries(PARTS)
    .map(([part, put]) => ({ part, bundle: put(own.bundle, other.bundle) }))
    .filter(({ bundle }) => !isSame(bundle, own.bundle))
    .map(({ part, bundle }) => ({
      name: `${form.name}, ${of}: ${part}`,
      // Over all shards of an API v1 log: nobody signed this index, so it proves nothing, and it is not passed on.
      good: part === 'log index' && form.entry === 'hashedrekord 0.0.1' && !form.promise ? undefined : false,
      input: inputOf(own, bundle, one.trustedRoot),
    }))
  return [
    { name: `${form.name}, ${of}: as signed`, good: true, input: inputOf(own, own.bundle, one.trustedRoot) },
    {
      name: `${form.name}, ${of}: as signed, the other`,
      good: true,
      input: inputOf(other, other.bundle, second.trustedRoot),
    },
    ...swapped,
  ]
}
