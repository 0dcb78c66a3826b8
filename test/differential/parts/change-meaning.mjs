// Changes that know what a bundle is: versions, signers, proofs, times, what a log stored, what a checkpoint says. The same form as change-values.mjs.
import { mutateJson, seedOf } from '../../fuzz/parts/mutate-json.mjs'
import { copyOf, decoded, encoded } from './places.mjs'

const MEDIA_TYPES = [
  ...['0.1', '0.2', '0.3', '0.4', '1.0', '0.30'].map((v) => `application/vnd.dev.sigstore.bundle+json;version=${v}`),
  ...['0.1', '0.2', '0.3', '0.3.1', '0.4', '0.03'].map((v) => `application/vnd.dev.sigstore.bundle.v${v}+json`),
  'application/vnd.dev.sigstore.bundle.v0.3+json;charset=utf-8',
  'application/vnd.dev.sigstore.bundle+json',
  'APPLICATION/VND.DEV.SIGSTORE.BUNDLE.V0.3+JSON',
  'application/json',
  '',
]
const P256 = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

const material = (bundle) => bundle.verificationMaterial
const entryOf = (bundle, random) => {
  const entries = material(bundle)?.tlogEntries
  return Array.isArray(entries) && entries.length > 0 ? random.of(entries) : undefined
}

/** A change of one log entry that has such a member. */
const entryChange = (member, change) => (bundle, random, lend) => {
  const entry = entryOf(bundle, random)
  if (entry?.[member] === undefined || entry[member] === null) return undefined
  change(entry, random, lend)
  return `tlogEntries.${member}`
}

const integer = (value) => {
  const hex = value.toString(16)
  const even = hex.length % 2 === 1 ? `0${hex}` : hex
  const body = Buffer.from(Number.parseInt(even.slice(0, 2), 16) > 127 ? `00${even}` : even, 'hex')
  return Buffer.concat([Buffer.of(2, body.length), body])
}

/** The other signature of the same key over the same bytes, (r, n - s); undefined when it is none of P-256. */
function otherSignature(base64) {
  const der = decoded(base64)
  if (der[0] !== 0x30 || der.length > 72 || der.length < 66) return undefined
  const rLength = der[3]
  const r = BigInt(`0x${Buffer.from(der.subarray(4, 4 + rLength)).toString('hex')}`)
  const s = BigInt(`0x${Buffer.from(der.subarray(6 + rLength)).toString('hex')}`)
  if (s >= P256) return undefined
  const body = Buffer.concat([integer(r), integer(P256 - s)])
  return Buffer.concat([Buffer.of(0x30, body.length), body]).toString('base64')
}

function changeCheckpoint(note, random, lend) {
  const [text = '', signatures = ''] = note.split('\n\n')
  const lines = text.split('\n')
  const lent = lend.bundle().verificationMaterial?.tlogEntries?.[0]?.inclusionProof?.checkpoint?.envelope ?? ''
  const first = signatures.split('\n')[0]
  const name = /^\u2014 (\S+) /.exec(first)?.[1] ?? 'log'
  switch (random.below(12)) {
    case 0:
      return `${note}${first}\n`
    case 1:
      return `${text}\n\n${first.replace(name, 'example.org')}\n`
    case 2:
      return `${note}\u2014 example.org ${Buffer.from(random.bytes(36)).toString('base64')}\n`
    case 3:
      return `${text}\n\n\u2014 ${name} ${Buffer.from(random.bytes(68)).toString('base64')}\n${signatures}`
    case 4:
      return `${lines.toSpliced(random.below(lines.length), 1).join('\n')}\n\n${signatures}`
    case 5:
      return `${text}\nextra line\n\n${signatures}`
    case 6:
      return lent
    case 7:
      return `${text}\n\n${lent.split('\n\n')[1] ?? ''}`
    case 8:
      return note.trimEnd()
    case 9:
      return note.replaceAll('\n', '\r\n')
    case 10:
      return `${note}${random.of(['\n', 'trailing', '\u2014 \n', '\u2014 x\n', ' '])}`
    default:
      return note.replace(/^\u2014 (\S+) (\S+)$/mu, (_all, who, base64) => {
        const raw = decoded(base64)
        const other = otherSignature(encoded(raw.subarray(4)))
        return `\u2014 ${who} ${encoded(Buffer.concat([raw.subarray(0, 4), Buffer.from(other ?? '', 'base64')]))}`
      })
  }
}

function changeSigner(bundle, random, lend) {
  const m = material(bundle)
  if (typeof m !== 'object' || m === null) return undefined
  const leaf = m.certificate ?? m.x509CertificateChain?.certificates?.[0]
  const other = material(lend.bundle())
  const lent = other?.certificate ?? other?.x509CertificateChain?.certificates?.[0]
  const only = (members) => {
    for (const name of ['certificate', 'x509CertificateChain', 'publicKey']) delete m[name]
    Object.assign(m, members)
  }
  const certificates = [leaf, lent].filter((one) => one !== undefined)
  const forms = [
    () => only({ publicKey: { hint: random.of(['', 'x', 'AA==']) } }),
    () => only({ certificate: lent }),
    () => Object.assign(m, { publicKey: { hint: 'x' } }),
    () => only({}),
    ...(leaf === undefined
      ? []
      : [
          () => only({ certificate: leaf }),
          () => only({ x509CertificateChain: { certificates: [leaf] } }),
          () => only({ x509CertificateChain: { certificates } }),
          () => only({ x509CertificateChain: { certificates: certificates.toReversed() } }),
          () => only({ x509CertificateChain: { certificates: [leaf, leaf] } }),
          () => only({ x509CertificateChain: { certificates: [leaf, random.of(lend.trusted)] } }),
          () => only({ certificate: leaf, x509CertificateChain: { certificates: [leaf] } }),
        ]),
  ]
  random.of(forms)()
  if (random.oneIn(2)) bundle.mediaType = random.of(MEDIA_TYPES.slice(0, 3))
  return 'signer'
}

function changeContent(bundle, random, lend) {
  const { messageSignature: message, dsseEnvelope: envelope } = bundle
  const forms = [
    () => {
      const { messageSignature, dsseEnvelope } = lend.bundle()
      if (random.oneIn(2)) Object.assign(bundle, copyOf({ messageSignature, dsseEnvelope }))
      else bundle[random.of(['messageSignature', 'dsseEnvelope'])] = random.of([null, {}, copyOf(messageSignature)])
    },
  ]
  if (message?.messageDigest)
    forms.push(
      () => delete message.messageDigest,
      () => delete message.messageDigest.algorithm,
      () =>
        (message.messageDigest.algorithm = random.of([
          'SHA2_384',
          'SHA2_512',
          'SHA3_256',
          1,
          0,
          'sha256',
          'HASH_ALGORITHM_UNSPECIFIED',
        ])),
      () => (message.messageDigest.digest = encoded(random.bytes(32))),
      () => (message.signature = otherSignature(message.signature) ?? message.signature),
    )
  if (envelope?.signatures?.[0])
    forms.push(
      () => (envelope.signatures[0].keyid = random.of(['', 'x', 'SHA256:abc'])),
      () => envelope.signatures.push({ sig: envelope.signatures[0].sig, keyid: 'x' }),
      () => (envelope.signatures = []),
      () => (envelope.payloadType = random.of(['', 'application/json', 'application/vnd.in-toto+json ', 'text/plain'])),
      () => (envelope.signatures[0].sig = otherSignature(envelope.signatures[0].sig) ?? ''),
    )
  random.of(forms)()
  return 'content'
}

function changeProof(entry, random) {
  const proof = entry.inclusionProof
  const forms = [
    () => delete proof.rootHash,
    () => delete proof.treeSize,
    () => delete proof.logIndex,
    () => delete proof.hashes,
    () => delete proof.checkpoint,
    () => (proof.logIndex = entry.logIndex),
    () => (entry.logIndex = proof.logIndex),
    () => (proof.rootHash = encoded(random.bytes(32))),
    () => (proof.treeSize = random.of(['1', '2', '4294967296'])),
    () => (proof.hashes = [...(proof.hashes ?? []), encoded(random.bytes(32))]),
    () => (proof.hashes = (proof.hashes ?? []).slice(1)),
    () => (proof.hashes = (proof.hashes ?? []).toReversed()),
  ]
  random.of(forms)()
}

function changeTime(entry, random) {
  const now = BigInt(entry.integratedTime ?? 0)
  entry.integratedTime = random.of([
    '0',
    null,
    '1',
    String(now + 1n),
    String(now + 300n),
    String(now + 86_400n),
    '1700000000',
    '253402300800',
  ])
}

export const MEANING_CHANGES = {
  'media type': (bundle, random) => {
    bundle.mediaType = random.of(MEDIA_TYPES)
    return 'mediaType'
  },
  signer: changeSigner,
  content: changeContent,
  'no promise': entryChange('inclusionPromise', (entry, random) => {
    if (random.oneIn(2)) delete entry.inclusionPromise
    else entry.inclusionPromise = random.of([{}, { signedEntryTimestamp: '' }, null])
  }),
  'other promise': entryChange('inclusionPromise', (entry, _random, lend) => {
    const lent = lend.bundle().verificationMaterial?.tlogEntries?.[0]?.inclusionPromise
    const set = otherSignature(entry.inclusionPromise.signedEntryTimestamp ?? '')
    entry.inclusionPromise = lent ?? { signedEntryTimestamp: set }
  }),
  'no proof': entryChange('inclusionProof', (entry) => void delete entry.inclusionProof),
  proof: entryChange('inclusionProof', changeProof),
  checkpoint: entryChange('inclusionProof', ({ inclusionProof: { checkpoint } }, random, lend) => {
    if (typeof checkpoint?.envelope === 'string')
      checkpoint.envelope = changeCheckpoint(checkpoint.envelope, random, lend)
  }),
  time: entryChange('logIndex', changeTime),
  'log id': entryChange(
    'logId',
    (entry, random) => void (entry.logId.keyId = encoded(random.bytes(random.of([32, 32, 32, 4, 0])))),
  ),
  kind: entryChange('kindVersion', ({ kindVersion }, random) => {
    if (random.oneIn(2)) kindVersion.version = random.of(['0.0.1', '0.0.2', '0.0.3', ''])
    else kindVersion.kind = random.of(['hashedrekord', 'dsse', 'intoto', 'rekord', ''])
  }),
  'stored body': entryChange('canonicalizedBody', (entry, random, lend) => {
    const text = Buffer.from(entry.canonicalizedBody, 'base64').toString()
    entry.canonicalizedBody = random.oneIn(4)
      ? Buffer.from(JSON.stringify(JSON.parse(text), undefined, random.below(3))).toString('base64')
      : encoded(mutateJson(seedOf(text), random, lend.pieces()))
  }),
  'no entries': (bundle, random) => {
    const m = material(bundle)
    if (random.oneIn(2)) delete m.tlogEntries
    else m.tlogEntries = random.of([[], null, [{}], [null]])
    return 'tlogEntries'
  },
  'entry of an unknown log': (bundle, random, lend) => {
    const entry = entryOf(random.oneIn(2) ? bundle : lend.bundle(), random)
    if (entry === undefined) return undefined
    const copy = copyOf(entry)
    copy.logId = { keyId: encoded(random.bytes(32)) }
    material(bundle).tlogEntries?.splice(random.below(2), 0, copy)
    return 'tlogEntries'
  },
  'another entry': (bundle, random, lend) => {
    const entry = entryOf(lend.bundle(), random)
    if (entry === undefined) return undefined
    material(bundle).tlogEntries?.splice(random.below(2), 0, copyOf(entry))
    return 'tlogEntries'
  },
  'timestamps of another': (bundle, random, lend) => {
    const lent = lend.bundle().verificationMaterial?.timestampVerificationData
    const own = material(bundle).timestampVerificationData
    if (random.oneIn(3))
      material(bundle).timestampVerificationData = random.of([null, {}, { rfc3161Timestamps: [] }, copyOf(lent)])
    else if (own?.rfc3161Timestamps) own.rfc3161Timestamps.push(...(lent?.rfc3161Timestamps ?? own.rfc3161Timestamps))
    return 'timestamps'
  },
}
