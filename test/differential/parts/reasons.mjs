// Every known way in which the judges disagree, who is right about it, and why. docs/design/differential.md shows it; a test compares the ids.
//
// `we`: what we do where the peer does the other thing. `right`: who is; `choice` where the specifications leave it open. `fits` must be as narrow as
// the reason: for what we refuse it goes by the code and the message of our refusal, for what we accept by the peer's words and what is in the bundle.

const DIVERGENCES = '[divergences](../spec-divergences.md#verifier)'
const CONTRACT = '[contract §1](../contract/bundle-and-oci.md)'

/** A refusal of ours with this code, and this in its message. */
const refused =
  (code, message = /^/) =>
  ({ ours }) =>
    ours.code === code && message.test(ours.why.slice(code.length + 2))

const any =
  (...tests) =>
  (about) =>
    tests.some((test) => test(about))

/** We said of it, while we accepted it, that a part was passed over. */
const passedOver = ({ ours }, check) => ours.checks.includes(check)

const entriesOf = (bundle) => {
  const entries = bundle?.verificationMaterial?.tlogEntries
  return Array.isArray(entries) ? entries : []
}

const storedBody = (entry) => {
  try {
    return JSON.parse(Buffer.from(entry.canonicalizedBody, 'base64').toString())
  } catch {
    return undefined
  }
}

const envelopeOf = (bundle) => bundle?.dsseEnvelope

export const REASONS = [
  // --- we accept, the peer refuses ---
  {
    id: 'entry-of-unknown-log',
    peers: ['js', 'go'],
    we: 'accept',
    right: 'touchmark',
    why: 'An entry of a log that the root does not name is passed over: it proves nothing, and refutes nothing. Another entry, of a trusted log, is right in everything. sigstore-js verifies every entry and takes the time of each; sigstore-go passes such entries over as well, but only when their body is one that it can read',
    see: '[contract §2.2](../contract/bundle-and-oci.md)',
    fits: (about) =>
      passedOver(about, 'log entry ignored') &&
      (about.peer === 'js'
        ? /^(CERTIFICATE_ERROR: Failed to verify certificate chain|TIMESTAMP_ERROR: |TLOG_|TypeError|SyntaxError|Error: invalid bundle|Error: Invalid)/.test(
            about.theirs.why,
          )
        : /^bundle: |^failed to verify log inclusion: /.test(about.theirs.why)),
  },
  {
    id: 'timestamp-of-unknown-authority',
    peers: ['js'],
    we: 'accept',
    right: 'touchmark',
    why: 'A token that is by no authority of the root is passed over, as sigstore-go and sigstore-python do; it counts for nothing, and a time that is needed must come from elsewhere',
    see: DIVERGENCES,
    fits: (about) =>
      passedOver(about, 'timestamp ignored') &&
      /^TIMESTAMP_ERROR: timestamp could not be verified$/.test(about.theirs.why),
  },
  {
    id: 'envelope-in-hashedrekord',
    peers: ['js'],
    we: 'accept',
    right: 'touchmark',
    why: 'An entry hashedrekord 0.0.2 of an envelope holds the digest of its PAE, which is what was signed. @sigstore/verify 3.1.1 compares it with the hash of the payload; 4.1.3 has it right',
    see: CONTRACT,
    fits: ({ theirs, bundle }) =>
      theirs.why === 'TLOG_BODY_ERROR: digest mismatch' &&
      envelopeOf(bundle) !== undefined &&
      entriesOf(bundle).some((entry) => storedBody(entry)?.kind === 'hashedrekord'),
  },
  {
    id: 'no-message-digest',
    peers: ['js', 'go'],
    we: 'accept',
    right: 'choice',
    why: 'The message digest is an unsigned hint, and both peers want it to be there without believing it. The signature over the artifact, and the digest that the log stored, are checked with or without it: its absence takes no check away. sigstore-python accepts it too',
    see: 'sigstore_bundle.proto, `MessageSignature`: a hint, not to be used for verification',
    fits: ({ theirs, bundle, peer }) =>
      bundle?.messageSignature !== undefined &&
      (bundle.messageSignature.messageDigest ?? undefined) === undefined &&
      (peer === 'js' ? /^Error: invalid (v0\.\d )?bundle/ : /missing verification material$/).test(theirs.why),
  },
  {
    id: 'key-id-of-envelope',
    peers: ['go'],
    we: 'accept',
    right: 'touchmark',
    why: 'DSSE says of `keyid` that it is unauthenticated and must not be used for anything but choosing a key. Here the key is known. sigstore-go takes it for the id of another key; sigstore-python and @sigstore/verify 4 accept it',
    see: 'DSSE protocol, `KEYID`',
    fits: ({ theirs, bundle }) =>
      /accepted signatures do not match threshold/.test(theirs.why) &&
      ![undefined, null, ''].includes(envelopeOf(bundle)?.signatures?.[0]?.keyid),
  },
  {
    id: 'cosigned-checkpoint-of-v1',
    peers: ['go'],
    we: 'accept',
    right: 'touchmark',
    why: 'A signed note may have lines of keys that the reader does not know, and they are to be ignored; the line of the log itself is right. For logs of API v1 sigstore-go wants every line to be by the log’s key (for those of v2 it does not)',
    see: 'C2SP signed-note; [divergences](../spec-divergences.md#der-notes-and-tiles)',
    fits: ({ theirs, bundle }) =>
      /signature on checkpoint did not verify/.test(theirs.why) &&
      entriesOf(bundle).some(({ inclusionProof }) => {
        const note = inclusionProof?.checkpoint?.envelope ?? ''
        return /^.* - \d+\n/.test(note) && (note.split('\n\n')[1]?.trimEnd().split('\n').length ?? 0) > 1
      }),
  },

  // --- we refuse, the peer accepts: how a bundle is written ---
  {
    id: 'strict-json',
    peers: ['js'],
    we: 'refuse',
    right: 'touchmark',
    why: 'Repeated members, bytes that are no UTF-8, unbounded depth: two readers of one file could see two bundles. sigstore-js takes what `JSON.parse` takes',
    see: 'RFC 8259 §4, §8.1; ' + DIVERGENCES,
    fits: refused('BUNDLE_JSON_INVALID', /duplicate field|invalid UTF-8|max depth|invalid escape|byte order/),
  },
  {
    id: 'unknown-member',
    peers: ['js'],
    we: 'refuse',
    right: 'touchmark',
    why: 'A member that nobody knows may be one that a newer reader obeys. sigstore-go and sigstore-python refuse it as well',
    see: CONTRACT,
    fits: refused('BUNDLE_FIELD_UNKNOWN'),
  },
  {
    id: 'name-of-proto',
    peers: ['go'],
    we: 'refuse',
    right: 'choice',
    why: 'Proto JSON lets readers take `log_index` for `logIndex`. No client writes it and sigstore-js does not read it; with one spelling there is one bundle for all readers',
    see: CONTRACT,
    fits: refused('BUNDLE_FIELD_UNKNOWN', /[a-z0-9]_[a-z0-9]\w* is no member/),
  },
  {
    id: 'strict-base64',
    peers: ['js', 'go'],
    we: 'refuse',
    right: 'choice',
    why: 'One spelling of bytes: standard alphabet, padding, no white space, no stray bits. The peers take others, and differ in which; sigstore-python takes the standard one alone',
    see: 'RFC 4648 §3.5, §12; ' + DIVERGENCES,
    fits: refused('BUNDLE_FIELD_INVALID', /must be (standard base64 with padding|base64)$/),
  },
  {
    id: 'length-of-hash',
    peers: ['js', 'go'],
    we: 'refuse',
    right: 'touchmark',
    why: 'Log ids and hashes of a proof have 32 bytes. The peers do not look where they do not use the value: the root of an entry of API v2, the log id (sigstore-js), hashes of entries of unknown logs',
    see: CONTRACT,
    fits: any(
      refused('BUNDLE_FIELD_INVALID', /must be 32 bytes$/),
      refused('BUNDLE_LIMIT_EXCEEDED', /(hashes\[\d+\]|rootHash|keyId): at most 32 bytes/),
    ),
  },
  {
    id: 'limit',
    peers: ['js', 'go'],
    we: 'refuse',
    right: 'touchmark',
    why: 'Every part has an upper bound that is read before it is decoded; no honest client comes near',
    see: DIVERGENCES,
    fits: refused('BUNDLE_LIMIT_EXCEEDED', /: at most \d+ (items|characters|bytes)/),
  },
  {
    id: 'type-of-member',
    peers: ['js', 'go'],
    we: 'refuse',
    right: 'choice',
    why: 'Members have one JSON type: no numbers for names of algorithms, no `+1`, `01` or `1e1` for a count. The peers convert what they find, or do not look',
    see: CONTRACT,
    fits: refused(
      'BUNDLE_FIELD_INVALID',
      /must be (a string|an object|a list|a whole number from 0|SHA2_256 or SHA2_384)/,
    ),
  },
  {
    id: 'missing-member',
    peers: ['js', 'go'],
    we: 'refuse',
    right: 'touchmark',
    why: 'Root and size of a proof, kind and version, log id, promise, algorithm: what is absent is not the default of its type. The peers read the checkpoint instead, or compare nothing; sigstore-python wants them',
    see: CONTRACT,
    fits: refused('BUNDLE_FIELD_MISSING'),
  },
  {
    id: 'two-contents',
    peers: ['js'],
    we: 'refuse',
    right: 'touchmark',
    why: 'A message signature and an envelope, or a certificate and a key: proto’s `oneof` allows one, and which of two a reader takes is its own affair',
    see: 'protobuf, ProtoJSON, `oneof`',
    fits: any(
      refused('BUNDLE_FIELD_INVALID', /either a messageSignature or a dsseEnvelope/),
      refused('BUNDLE_VERSION_RULE', /one of certificate, chain and public key/),
    ),
  },
  {
    id: 'media-type',
    peers: ['js', 'go'],
    we: 'refuse',
    right: 'touchmark',
    why: 'Four media types name three versions. sigstore-js takes any two digits and anything after them; sigstore-go takes 0.1, 0.2 and patch versions in the new form',
    see: CONTRACT,
    fits: refused('BUNDLE_MEDIA_TYPE_UNSUPPORTED'),
  },
  {
    id: 'rule-of-version',
    peers: ['go'],
    we: 'refuse',
    right: 'touchmark',
    why: 'What a version asks of entries (a promise, or a proof with a checkpoint) is asked of every one. sigstore-go asks it of any one of them',
    see: CONTRACT,
    fits: refused('BUNDLE_VERSION_RULE', /an inclusion p(romise|roof with a checkpoint)$/),
  },
  {
    id: 'same-twice',
    peers: ['js', 'go'],
    we: 'refuse',
    right: 'touchmark',
    why: 'The same timestamp, or the same log entry, stands in the bundle twice: nobody honest writes it, and it is how thresholds were fooled. sigstore-js refuses timestamps and times that are equal, sigstore-go entries',
    see: `${CONTRACT}; CVE-2026-49834`,
    fits: refused('BUNDLE_DUPLICATE'),
  },

  // --- we refuse, the peer accepts: what it says ---
  {
    id: 'brings-its-root',
    peers: ['js', 'go'],
    we: 'refuse',
    right: 'touchmark',
    why: 'Roots come from the trusted root alone. The peers neither use nor see the one in the bundle; the conformance suite wants it refused (`bundle-with-root-cert_fail`; the peers refuse that one for its proof)',
    see: DIVERGENCES,
    fits: refused('VERIFY_CHAIN_HAS_ROOT'),
  },
  {
    id: 'der-of-certificate',
    peers: ['js'],
    we: 'refuse',
    right: 'touchmark',
    why: 'Bytes after the certificate, which nobody signed, and BER where DER must be, which sigstore-js writes anew before it checks the signature. sigstore-go refuses them as well',
    see: 'X.690 §10; [divergences](../spec-divergences.md#der-notes-and-tiles)',
    fits: any(
      refused('VERIFY_CERTIFICATE_INVALID', /the certificate is malformed/),
      refused('VERIFY_KEY_UNSUPPORTED', /public key: not the DER of/),
    ),
  },
  {
    id: 'rest-of-chain',
    peers: ['go'],
    we: 'refuse',
    right: 'choice',
    why: 'What follows the leaf in a chain is not used by anybody, but must be certificates: we read them to refuse a root. sigstore-go reads the leaf alone',
    see: CONTRACT,
    fits: (about) =>
      refused('VERIFY_CERTIFICATE_INVALID', /the certificate is malformed/)(about) &&
      about.bundle?.verificationMaterial?.x509CertificateChain?.certificates?.length > 1,
  },
  {
    id: 'proof-of-another-checkpoint',
    peers: ['js', 'go'],
    we: 'refuse',
    right: 'touchmark',
    why: 'Root hash and tree size of the proof must be those that the log signed. sigstore-js never reads them, sigstore-go not for API v2: harmless where nobody else does, but a bundle must not tell two stories',
    see: '[contract §2.5](../contract/bundle-and-oci.md)',
    fits: refused('VERIFY_CHECKPOINT_MISMATCH'),
  },
  {
    id: 'name-in-checkpoint',
    peers: ['go'],
    we: 'refuse',
    right: 'touchmark',
    why: 'A key in a signed note is a name and an id; a line with another name is not by this log. For API v1 sigstore-go compares neither, since the key alone verifies',
    see: 'C2SP signed-note',
    fits: refused('VERIFY_CHECKPOINT_SIGNATURE', /not signed with the key of this log/),
  },
  {
    id: 'form-of-note',
    peers: ['js'],
    we: 'refuse',
    right: 'touchmark',
    why: 'Lines that are none, control characters, no newline at the end: sigstore-js looks for what matches its pattern and passes over the rest. sigstore-go refuses them',
    see: 'C2SP signed-note, tlog-checkpoint',
    fits: refused('VERIFY_CHECKPOINT_INVALID', /not a signed note|not a checkpoint/),
  },
  {
    id: 'body-of-v2-entry',
    peers: ['go'],
    we: 'refuse',
    right: 'choice',
    why: 'sigstore-go makes the leaf of an API v2 entry anew from the bundle and proves that; the body in the bundle may be any that it can read. We make it anew too, and want the one that is there to be it: search and audits read it',
    see: '[contract §2.6](../contract/bundle-and-oci.md)',
    fits: refused('VERIFY_ENTRY_MISMATCH', /has another (form|spec\.hashedRekordV002\.\S*) than/),
  },
  {
    id: 'kind-of-entry',
    peers: ['go'],
    we: 'refuse',
    right: 'touchmark',
    why: 'Kind and version beside the body must be those in it. sigstore-go compares the member with itself; sigstore-js and sigstore-python refuse it',
    see: '[contract §2.3](../contract/bundle-and-oci.md)',
    fits: refused('VERIFY_ENTRY_MISMATCH', /another kind and version than/),
  },
  {
    id: 'failed-promise-passed-over',
    peers: ['go'],
    we: 'refuse',
    right: 'touchmark',
    why: 'sigstore-go passes over an entry of a trusted log whose promise does not verify (and takes an empty promise for none), if another entry is right. An entry that a trusted log did not promise is a forged one: we, sigstore-js and sigstore-python refuse the bundle',
    see: DIVERGENCES,
    fits: ({ ours, bundle }) => {
      if (ours.code === 'VERIFY_PROMISE_INVALID') return true
      const promised = entriesOf(bundle).filter((entry) => entry?.inclusionPromise !== undefined)
      return (
        ['VERIFY_ENTRY_KIND', 'VERIFY_ENTRY_MISMATCH', 'VERIFY_ENTRY_INVALID', 'VERIFY_ENTRY_TIME'].includes(
          ours.code,
        ) &&
        promised.length > 0 &&
        entriesOf(bundle).length > 1
      )
    },
  },
  {
    id: 'two-indexes',
    peers: ['js', 'go'],
    we: 'refuse',
    right: 'touchmark',
    why: 'sigstore-go proves an API v2 entry with the outer index, sigstore-js with the inner one: where they differ each sees another entry',
    see: CONTRACT,
    fits: refused('VERIFY_INCLUSION_PROOF', /gives two indexes/),
  },
  {
    id: 'failed-timestamp-passed-over',
    peers: ['go'],
    we: 'refuse',
    right: 'touchmark',
    why: 'sigstore-go passes over a token that does not verify when it has another time, or needs none. A token that claims to be by a trusted authority, or that nobody can read, is in no honest bundle; sigstore-js refuses it too',
    see: DIVERGENCES,
    fits: any(
      refused('VERIFY_TIMESTAMP_INVALID'),
      refused('VERIFY_TIMESTAMP_OTHER_BYTES'),
      refused('VERIFY_TIMESTAMP_WINDOW'),
    ),
  },
  {
    id: 'form-of-timestamp',
    peers: ['js'],
    we: 'refuse',
    right: 'touchmark',
    why: 'sigstore-js writes the token’s parts anew in DER before it hashes them, does not look at bytes after it, nor at certificates in it, nor at `signingCertificateV2`, whose hash ties the token to its certificate',
    see: 'RFC 3161 §2.4.2, RFC 5035; CVE-2026-39984; ' + DIVERGENCES,
    fits: refused(
      'VERIFY_TIMESTAMP_INVALID',
      /DER|over another TSTInfo|not the authority's pinned leaf|signingCertificate|SignedData|TSTInfo|certificate|status|serial|policy|attribute|more than \d+ signers/,
    ),
  },
  {
    id: 'log-time-of-nobody',
    peers: ['js'],
    we: 'refuse',
    right: 'touchmark',
    why: 'A time that the entry claims must lie in the certificate’s validity, promised or not: nobody honest writes another. sigstore-go refuses it as well',
    see: DIVERGENCES,
    fits: refused('VERIFY_ENTRY_TIME'),
  },
  {
    id: 'log-by-key-hint',
    peers: ['js'],
    we: 'refuse',
    right: 'touchmark',
    why: 'The entry names a log that the root does not know. Without a promise sigstore-js never reads the log id: it finds the log by the name and the four bytes in the checkpoint',
    see: '[contract §2.2](../contract/bundle-and-oci.md)',
    fits: refused('VERIFY_LOG_UNKNOWN'),
  },
]
