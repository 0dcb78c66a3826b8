// Who signs, who verifies: every pair of clients, for files and for attestations.
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as js from './sigstore-js.mjs'

const exec = promisify(execFile)
export const WHO = 'dev@example.com'
const IN_TOTO = 'application/vnd.in-toto+json'
const SLSA = 'https://slsa.dev/provenance/v1'

/** The clients with what each can do; `missing` ones are left out by the caller. */
export function clientsOf({ stack, found, token, file, predicate, statement }) {
  const artifact = readFileSync(file)
  const identity = ['--certificate-identity', WHO, '--certificate-oidc-issuer', stack.issuer]
  const pythonIdentity = ['--cert-identity', WHO, '--cert-oidc-issuer', stack.issuer]
  return {
    cosign: {
      sign: (out) =>
        exec(found.cosign, [
          'sign-blob',
          '-y',
          '--signing-config',
          stack.config,
          '--trusted-root',
          stack.root,
          '--identity-token',
          token,
          '--bundle',
          out,
          file,
        ]),
      verify: (bundle) =>
        exec(found.cosign, ['verify-blob', '--trusted-root', stack.root, ...identity, '--bundle', bundle, file]),
      attest: (out) =>
        exec(found.cosign, [
          'attest-blob',
          '-y',
          '--signing-config',
          stack.config,
          '--trusted-root',
          stack.root,
          '--identity-token',
          token,
          '--statement',
          statement,
          '--bundle',
          out,
        ]),
      verifyAttestation: (bundle) =>
        exec(found.cosign, [
          'verify-blob-attestation',
          '--trusted-root',
          stack.root,
          ...identity,
          '--type',
          'slsaprovenance1',
          '--bundle',
          bundle,
          file,
        ]),
    },
    python: {
      sign: (out) =>
        exec(found.python, ['--trust-config', stack.trust, 'sign', '--identity-token', token, '--bundle', out, file]),
      verify: (bundle) =>
        exec(found.python, [
          '--trust-config',
          stack.trust,
          'verify',
          'identity',
          '--bundle',
          bundle,
          ...pythonIdentity,
          file,
        ]),
      attest: (out) =>
        exec(found.python, [
          '--trust-config',
          stack.trust,
          'attest',
          '--identity-token',
          token,
          '--predicate',
          predicate,
          '--predicate-type',
          SLSA,
          '--bundle',
          out,
          file,
        ]),
      verifyAttestation: (bundle) =>
        exec(found.python, [
          '--trust-config',
          stack.trust,
          'verify',
          'identity',
          '--bundle',
          bundle,
          ...pythonIdentity,
          file,
        ]),
    },
    js: {
      sign: async (out) => writeFileSync(out, await js.sign(stack, token, artifact)),
      verify: async (bundle) => js.verify(stack, bundle, artifact, WHO),
      attest: async (out) => writeFileSync(out, await js.sign(stack, token, readFileSync(statement), IN_TOTO)),
      verifyAttestation: async (bundle) => js.verify(stack, bundle, undefined, WHO),
    },
    touchmark: {
      sign: (out) => stack.touchmark('sign', file, '--identity-token', token, '--bundle', out),
      verify: (bundle) => stack.touchmark('verify', file, '--bundle', bundle, ...identity),
      attest: (out) =>
        stack.touchmark(
          'attest',
          file,
          '--predicate',
          predicate,
          '--type',
          'slsaprovenance1',
          '--identity-token',
          token,
          '--bundle',
          out,
        ),
      verifyAttestation: (bundle) =>
        stack.touchmark('verify-attestation', file, '--type', 'slsaprovenance1', '--bundle', bundle, ...identity),
    },
  }
}

/** What a client cannot do against any server (docs/contract/bundle-and-oci.md §1), by signer and verifier. */
const CANNOT = {
  'cosign js': '@sigstore/verify 3 compares a hashedrekord with the payload, not with the PAE',
  'python js': '@sigstore/verify 3 compares a hashedrekord with the payload, not with the PAE',
  'touchmark js': '@sigstore/verify 3 compares a hashedrekord with the payload, not with the PAE',
  'js cosign': 'sigstore-go 1.2 and later refuse dsse 0.0.2 entries',
  'js python': 'sigstore-python 4.3 and later refuse dsse 0.0.2 entries',
}

const reason = (error) =>
  String(error.stderr || error.message)
    .trim()
    .split('\n')
    .at(-1)
    .slice(0, 160)

/** Signs with each client and verifies each bundle with each; prints a table. Returns counts. */
export async function runMatrix({ title, clients, make, check, folder, report, cannot = {} }) {
  const names = Object.keys(clients)
  const signers = names.filter((name) => clients[name][make] !== undefined)
  const cells = []
  for (const signer of signers) {
    const bundle = join(folder, `${make}-${signer}.json`)
    let failed
    try {
      await clients[signer][make](bundle)
    } catch (error) {
      failed = reason(error)
    }
    for (const verifier of names) {
      const why = cannot[`${signer} ${verifier}`]
      if (why !== undefined) {
        cells.push({ signer, verifier, text: 'n/a', why })
        continue
      }
      const outcome = failed ?? (await clients[verifier][check](bundle).then(() => undefined, reason))
      report(`${title}: ${signer} signs, ${verifier} verifies`, outcome)
      cells.push({ signer, verifier, text: outcome === undefined ? 'ok' : 'FAILED' })
    }
  }
  const width = 12
  console.log(
    `\n${title}\n${'signed by'.padEnd(width)}${names.map((name) => name.padEnd(width)).join('')}<- verified by`,
  )
  for (const signer of signers) {
    console.log(
      signer.padEnd(width) +
        names
          .map((verifier) =>
            cells.find((cell) => cell.signer === signer && cell.verifier === verifier).text.padEnd(width),
          )
          .join(''),
    )
  }
  for (const { signer, verifier, why } of cells)
    if (why !== undefined) console.log(`  ${signer} -> ${verifier}: ${why}, whatever the server`)
}

export const attestationCannot = CANNOT
