import { generateSigner } from '@touchmark/crypto/node'
import { base64Encode, hexEncode, utf8Encode } from '@touchmark/encoding'
import { later, NOW, START } from './instance.js'
import { withEntry } from './signing.js'
import { verifySigned } from './verifying.js'
import {
  P256,
  instance,
  other,
  root,
  make,
  V2,
  V1,
  ATT,
  KEY,
  logs,
  withWindow,
  changeProof,
  changeEntry,
  flip,
  body,
  withThreshold,
  proof,
  promise,
  entryChanged,
  reverified,
  kindOf,
  signedBy,
  without,
} from './workshop.js'
import type { Ways } from './ways.js'

/** Ways to be refused for log entries: each is a bundle that is right but for the one thing. */
export const LOG_REFUSALS = {
  VERIFY_ENTRY_MISSING: {
    'a bundle without log entries': async () => {
      const signed = await make(V2)
      return verifySigned(signed, root, { bundle: { ...signed.bundle, tlogEntries: [] } })
    },
  },
  VERIFY_LOG_UNKNOWN: {
    'a log that is not in the root': async () =>
      verifySigned(await make(V2), { ...root, tlogs: other.trustedRoot.tlogs }),
    'the same for a key': async () => verifySigned(await make(KEY), other.trustedRoot),
  },
  VERIFY_LOG_WINDOW: {
    'a log retired before the promised time': async () =>
      verifySigned(await make(V1), logs('tlogs', withWindow(START, later(NOW, -1)))),
    'a log not in use at the promised time': async () =>
      verifySigned(await make(V1), logs('tlogs', withWindow(later(NOW, 1)))),
    'a v2 log retired before the time of the timestamp': async () =>
      verifySigned(await make(V2), logs('tlogs', withWindow(START, later(NOW, -1)))),
    'the same for a key': async () => verifySigned(await make(KEY), logs('tlogs', withWindow(START, later(NOW, -1)))),
  },
  VERIFY_LOG_KEY_UNUSABLE: {
    'a log key that is none': async () =>
      verifySigned(
        await make(V2),
        logs('tlogs', (log) => ({ ...log, publicKey: { ...log.publicKey, rawBytes: utf8Encode('none') } })),
      ),
    'a log key of another kind than said': async () =>
      verifySigned(
        await make(V2),
        logs('tlogs', (log) => ({ ...log, publicKey: { ...log.publicKey, keyDetails: 'PKIX_ED25519' } })),
      ),
    'a kind of key that is not supported': async () =>
      verifySigned(
        await make(V2),
        logs('tlogs', (log) => ({ ...log, publicKey: { ...log.publicKey, keyDetails: 'ML_DSA_44' } })),
      ),
    'a tree over another hash': async () =>
      verifySigned(
        await make(V2),
        logs('tlogs', (log) => ({ ...log, hashAlgorithm: 'SHA2_384' })),
      ),
    'a log without a host name': async () =>
      verifySigned(
        await make(V2),
        logs('tlogs', (log) => ({ ...log, baseUrl: 'log2026.example.com' })),
      ),
    'a certificate log key that is none': async () =>
      verifySigned(
        await make(V2),
        logs('ctlogs', (log) => ({ ...log, publicKey: { ...log.publicKey, rawBytes: utf8Encode('none') } })),
      ),
  },
  VERIFY_LOG_THRESHOLD: {
    'one log where two are asked for': async () => withThreshold(await make(V2), { logs: 2 }),
    'two entries of one log where two logs are asked for': async () => {
      const signed = await make(V2)
      const [entry] = signed.bundle.tlogEntries
      const again = await instance.v2.append(entry!.canonicalizedBody, 'hashedrekord', '0.0.2', {})
      return withThreshold({ ...signed, bundle: { ...signed.bundle, tlogEntries: [entry!, again] } }, { logs: 2 })
    },
  },
  VERIFY_ENTRY_INVALID: {
    'a body that is no JSON': async () => entryChanged(body('{')),
    'a body that is a list': async () => entryChanged(body('[]')),
    'a body with a repeated member': async () => reverified(V1, (text) => text.replace('{', '{"kind":"hashedrekord",')),
    'a v1 body without a signature': async () => reverified(V1, (text) => text.replace('"signature"', '"signatur"')),
    'a v1 body with a hash that is not hexadecimal': async () =>
      reverified(V1, (text) => text.replace(/"value":"../, '"value":"zz')),
    'a v1 body with a signature that is not base64': async () =>
      reverified(V1, (text) => text.replace(/"content":"..../, '"content":"!!!!')),
    'a v1 body with a key that is not PEM': async () =>
      reverified(V1, (text) => text.replace(/"content":"LS0t[^"]*"/, '"content":"AAAA"')),
    'a v1 body with a broken PEM block': async () =>
      reverified(V1, (text) =>
        text.replace(/"content":"LS0t[^"]*"/, `"content":"${btoa('-----BEGIN CERTIFICATE-----\n!')}"`),
      ),
    'a dsse body whose signatures are no list': async () =>
      reverified('0.3 attestation, v1', (text) => text.replace(/"signatures":\[.*\]/, '"signatures":{}')),
    'an intoto body whose signature is not base64 twice': async () =>
      reverified('0.2 attestation, v1 intoto', (text) => text.replace(/"sig":"[^"]*"/, '"sig":"AAAA"')),
    'an intoto body whose signature is not even UTF-8': async () =>
      reverified('0.2 attestation, v1 intoto', (text) => text.replace(/"sig":"[^"]*"/, '"sig":"/w=="')),
  },
  VERIFY_ENTRY_KIND: {
    'an entry of an unknown kind': async () => kindOf('rekord 0.0.1'),
    'a message entry for an envelope': async () => {
      const signed = await make('0.3 attestation, v1')
      const message = await make(V1)
      return verifySigned(signed, root, { bundle: { ...signed.bundle, tlogEntries: message.bundle.tlogEntries } })
    },
    'an envelope entry for a message': async () => {
      const signed = await make(V1)
      const attestation = await make('0.3 attestation, v1')
      return verifySigned(signed, root, { bundle: { ...signed.bundle, tlogEntries: attestation.bundle.tlogEntries } })
    },
  },
  VERIFY_ENTRY_MISMATCH: Object.fromEntries(
    [
      V2,
      V1,
      ATT,
      '0.3 attestation, v2 dsse',
      '0.3 attestation, v1',
      '0.2 attestation, v1 intoto',
      KEY,
      '0.3 attestation by key, v1',
      '0.1 message, v1 promise alone',
    ].map((name) => [
      `the entry of another signature by the same key: ${name}`,
      async () => {
        const signer = generateSigner(P256)
        const [one, two] = [await make(name, { signer }), await make(name, { signer })]
        return verifySigned(one, root, { bundle: { ...one.bundle, tlogEntries: two.bundle.tlogEntries } })
      },
    ]),
  ),
  VERIFY_ENTRY_TIME: {
    'an entry logged after the certificate expired': async () =>
      verifySigned(await make(V1, { at: later(NOW, 541) }), root),
    'an entry logged before it was issued': async () => verifySigned(await make(V1, { at: later(NOW, -61) }), root),
    'an unsigned time of a v2 entry outside the certificate': async () => entryChanged(() => ({ integratedTime: 5n })),
    'a time beyond all dates': async () => entryChanged(() => ({ integratedTime: 1n << 62n })),
  },
  VERIFY_PROMISE_INVALID: {
    'a promise signed by another key': async () => {
      const signed = await make(V1)
      const [entry] = signed.bundle.tlogEntries
      const inclusionPromise = await other.v1.promise(entry!.canonicalizedBody, entry!.integratedTime!, entry!.logIndex)
      return verifySigned(signed, root, { bundle: changeEntry(signed, () => ({ inclusionPromise })) })
    },
    'a changed promise': async () => promise((entry) => ({ inclusionPromise: flip(entry.inclusionPromise!, 9) })),
    'a promise for another time': async () => promise((entry) => ({ integratedTime: entry.integratedTime! + 1n })),
    'a promise for another index': async () => promise((entry) => ({ logIndex: entry.logIndex + 1n })),
    'a promise of a time beyond all dates': async () => {
      const signed = await make('0.3 attestation by key, v1')
      const [entry] = signed.bundle.tlogEntries
      const integratedTime = 1n << 62n
      const { canonicalizedBody, logIndex } = entry!
      const text = `{"body":"${base64Encode(canonicalizedBody)}","integratedTime":${integratedTime},"logID":"${hexEncode(entry!.logId)}","logIndex":${logIndex}}`
      const inclusionPromise = await instance.v1.signer.sign(utf8Encode(text))
      return verifySigned(signed, root, { bundle: changeEntry(signed, () => ({ integratedTime, inclusionPromise })) })
    },
    'a promise without a time': async () => {
      const signed = await make(V1)
      const bundle = withEntry(signed.bundle, (entry) => without(entry, 'integratedTime'))
      return verifySigned(signed, root, { bundle })
    },
  },
  VERIFY_PROOF_MISSING: {
    'neither promise nor proof': async () => {
      const signed = await make(V2)
      const bundle = withEntry(signed.bundle, (entry) => without(entry, 'inclusionProof'))
      return verifySigned(signed, root, { bundle })
    },
  },
  VERIFY_CHECKPOINT_INVALID: {
    'a checkpoint that is no note': async () => proof(V2, (one) => ({ ...one, checkpoint: 'none' })),
    'a checkpoint without a signature': async () =>
      proof(V2, (one) => ({ ...one, checkpoint: one.checkpoint!.slice(0, one.checkpoint!.indexOf('\n\n') + 2) })),
    'a checkpoint without a root': async () =>
      proof(V2, (one) => ({ ...one, checkpoint: one.checkpoint!.replace(/\n[^\n]+\n\n/, '\n\n') })),
  },
  VERIFY_CHECKPOINT_SIGNATURE: {
    'a checkpoint signed by another key': async () => signedBy(V2),
    'a v1 checkpoint signed by another key': async () => signedBy(V1),
    "a checkpoint signed by another key under this log's key id": async () => {
      const signed = await make(V2)
      const index = Number(signed.bundle.tlogEntries[0]!.inclusionProof!.logIndex)
      const forged = await instance.v2.prove(index, generateSigner(P256))
      const own = signed.bundle.tlogEntries[0]!.inclusionProof!.checkpoint!
      const [text, line] = forged.checkpoint!.split('\n\n') as [string, string]
      const bytes = Uint8Array.from(atob(line.trim().split(' ')[2]!), (c) => c.charCodeAt(0))
      bytes.set(Uint8Array.from(atob(own.trim().split(' ').at(-1)!), (c) => c.charCodeAt(0)).subarray(0, 4))
      const checkpoint = `${text}\n\n— ${instance.v2.origin} ${btoa(String.fromCharCode(...bytes))}\n`
      return verifySigned(signed, root, { bundle: changeProof(signed, () => ({ ...forged, checkpoint })) })
    },
    'a checkpoint with another size': async () =>
      proof(V2, (one) => ({ ...one, checkpoint: one.checkpoint!.replace(/\n\d+\n/, '\n99\n') })),
    'a checkpoint of the same key for another origin': async () => {
      const signed = await make(V2)
      const index = Number(signed.bundle.tlogEntries[0]!.inclusionProof!.logIndex)
      const forged = await instance.v2.prove(index, instance.v2.signer, 'log2027.example.com')
      return verifySigned(signed, root, { bundle: changeProof(signed, () => forged) })
    },
  },
  VERIFY_CHECKPOINT_MISMATCH: {
    'a wrong root hash': async () => proof(V2, (one) => ({ ...one, rootHash: flip(one.rootHash) })),
    'a wrong root hash for a v1 log': async () => proof(V1, (one) => ({ ...one, rootHash: flip(one.rootHash) })),
    'a wrong tree size': async () => proof(V2, (one) => ({ ...one, treeSize: one.treeSize + 1n })),
  },
  VERIFY_INCLUSION_PROOF: {
    'a changed hash': async () => proof(V2, (one) => ({ ...one, hashes: one.hashes.map((hash) => flip(hash)) })),
    'a missing hash': async () => proof(V2, (one) => ({ ...one, hashes: one.hashes.slice(1) })),
    'a hash too many': async () => proof(V2, (one) => ({ ...one, hashes: [...one.hashes, one.hashes[0]!] })),
    'a changed hash for a v1 log': async () =>
      proof(V1, (one) => ({ ...one, hashes: one.hashes.map((hash) => flip(hash)) })),
    'another index in a v1 log': async () => proof(V1, (one) => ({ ...one, logIndex: one.logIndex ^ 1n })),
    'an index as large as the tree': async () => proof(V1, (one) => ({ ...one, logIndex: one.treeSize })),
    'two indexes for one v2 entry': async () => entryChanged((entry) => ({ logIndex: entry.logIndex + 1n })),
  },
} satisfies Ways
