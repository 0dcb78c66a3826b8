import { isDeepStrictEqual } from 'node:util'
import { pemEncode, utf8Encode } from '@touchmark/encoding'
import { matchesPattern } from '../../../apps/cli/dist/verifying/policy-file/patterns.js'
import { parsePolicyFile } from '../../../apps/cli/dist/verifying/policy-file/parse.js'
import { holds } from '../parts/drive.mjs'
import { fromJson } from '../parts/generate.mjs'

const issuer = 'https://login.example.com'
const KEY = Buffer.from(
  'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==',
  'base64',
)
const signers = {
  release: { identity: 'ci@example.com', issuer, extensions: { buildTrigger: 'push' } },
  people: { identityPattern: '[a-z]+@example\\.com', issuer },
  key: { key: pemEncode('PUBLIC KEY', KEY) },
}
const policies = [
  { version: 1, signers, rules: [{ files: ['*.tar.gz', 'dist/**'], signers: ['release', 'key'] }] },
  {
    version: 1,
    signers,
    rules: [
      { name: 'a', files: ['**/a?'], signers: ['people'], thresholds: { logs: 2, certificateLogs: 1, times: 3 } },
      { files: ['**'], signers: ['key'], content: 'attestation', predicateTypes: ['https://slsa.dev/provenance/v1'] },
    ],
  },
].map((policy) => JSON.stringify(policy))

/** What a policy file says, written as a policy file again. */
function textOf({ rules }) {
  const named = {}
  const nameOf = (signer) => {
    const name = `s${Object.keys(named).length}`
    named[name] = signer
    return name
  }
  const list = rules.map(({ name, files, identities, keys, content, predicateTypes, thresholds }) => ({
    name,
    files,
    signers: [
      ...identities.map(({ subject, ...rest }) =>
        nameOf({
          ...rest,
          ...('exact' in subject ? { identity: subject.exact } : { identityPattern: subject.pattern }),
        }),
      ),
      ...keys.map((spki) => nameOf({ key: pemEncode('PUBLIC KEY', spki) })),
    ],
    content: content === 'message' ? 'signature' : 'attestation',
    predicateTypes,
    thresholds,
  }))
  return JSON.stringify({ version: 1, signers: named, rules: list })
}

const policyFile = {
  name: 'policy file',
  weight: 3,
  ...fromJson(policies),
  read: parsePolicyFile,
  check: (policy) => {
    holds(
      isDeepStrictEqual(parsePolicyFile(utf8Encode(textOf(policy))), policy),
      'the policy reads otherwise when it is written again',
    )
    for (const { files, identities, keys } of policy.rules) {
      holds(files.length > 0 && identities.length + keys.length > 0, 'a rule without files or signers')
      for (const pattern of files) matchesPattern(pattern, 'dist/deep/er/app-1.2.3.tar.gz')
    }
  },
}

export const policyParsers = [policyFile]
