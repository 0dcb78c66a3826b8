import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { utf8Encode } from '@touchmark/encoding'
import { DER_NULL, derOctetString, derOid, derSequence } from '@touchmark/encoding'
import { embeddedScts, FULCIO_OID, parseTbsCertificate } from '@touchmark/x509'
import { later, NOW, START, END, OIDC_ISSUER, SAN } from './instance.js'
import { verifySigned } from './verifying.js'
import {
  P256,
  instance,
  other,
  root,
  make,
  V2,
  logs,
  withWindow,
  flip,
  signatureOf,
  findBytes,
  flipTo,
  withChain,
  caWindow,
  withThreshold,
  signedWith,
  expiredChain,
  rebuilt,
  withoutExtension,
} from './workshop.js'
import type { Ways } from './ways.js'

const SCT_LIST = '1.3.6.1.4.1.11129.2.4.2'

/** Ways to be refused for certificate, CA and certificate logs: each is a bundle that is right but for the one thing. */
export const CERTIFICATE_REFUSALS = {
  VERIFY_CERTIFICATE_INVALID: {
    'a certificate that is none': async () => {
      const signed = await make(V2)
      return verifySigned(signed, root, {
        bundle: { ...signed.bundle, signer: { kind: 'certificate', certificate: utf8Encode('none') } },
      })
    },
    'two names in one certificate': async () => {
      const san = { type: 'email', value: 'a@example.com' } as const
      // Two e-mail addresses of 7 and 5 characters in place of one of 14.
      const changeTbs = (tbs: Uint8Array): Uint8Array => {
        const at = findBytes(tbs, utf8Encode(san.value))
        const copy = Uint8Array.from(tbs)
        copy[at - 1] = 5
        copy.set([0x81, 6], at + 5)
        return copy
      }
      return verifySigned(await make(V2, { leaf: { san, changeTbs } }), root)
    },
    'a name of a kind that nobody signs with': async () => {
      // The e-mail address becomes a host name.
      const changeTbs = (tbs: Uint8Array): Uint8Array => flipTo(tbs, findBytes(tbs, utf8Encode(SAN.value)) - 2, 0x82)
      return verifySigned(await make(V2, { leaf: { changeTbs } }), root)
    },
    'a host name beside the e-mail address': async () => {
      const san = { type: 'email', value: 'a@example.com' } as const
      const changeTbs = (tbs: Uint8Array): Uint8Array => {
        const at = findBytes(tbs, utf8Encode(san.value))
        const copy = Uint8Array.from(tbs)
        copy[at - 1] = 5
        copy.set([0x82, 6], at + 5)
        return copy
      }
      return verifySigned(await make(V2, { leaf: { san, changeTbs } }), root)
    },
    'a certificate without a name': async () =>
      verifySigned(await make(V2, { leaf: { changeTbs: (tbs) => withoutExtension(tbs, '2.5.29.17') } }), root),
    'a certificate without an issuer': async () => {
      const changeTbs = (tbs: Uint8Array): Uint8Array =>
        withoutExtension(withoutExtension(tbs, FULCIO_OID.issuerV1), FULCIO_OID.issuerV2)
      return verifySigned(await make(V2, { leaf: { changeTbs } }), root)
    },
    'an issuer that does not decode': async () => {
      // The last of two: .8, whose text is a UTF8String and becomes an INTEGER.
      const changeTbs = (tbs: Uint8Array): Uint8Array =>
        flipTo(tbs, findBytes(tbs, Uint8Array.of(0x0c, OIDC_ISSUER.length, ...utf8Encode(OIDC_ISSUER))), 2)
      return verifySigned(await make(V2, { leaf: { changeTbs } }), root)
    },
    'two issuers in one certificate': async () => {
      const oidcIssuer = 'https://oidc.example.com'
      const changeTbs = (tbs: Uint8Array): Uint8Array => flip(tbs, findBytes(tbs, utf8Encode(oidcIssuer)) + 9)
      return verifySigned(await make(V2, { leaf: { oidcIssuer, changeTbs } }), root)
    },
  },
  VERIFY_CHAIN_HAS_ROOT: {
    'a root in the chain of the bundle': async () => {
      const signed = await make('0.2 message, v2')
      const certificates = [signed.certificate.der, instance.caChain[1].der] as const
      return verifySigned(signed, root, { bundle: { ...signed.bundle, signer: { kind: 'chain', certificates } } })
    },
  },
  VERIFY_CHAIN_UNKNOWN_ISSUER: {
    "another instance's CA under this instance's log": async () =>
      verifySigned(await make(V2), { ...root, certificateAuthorities: other.trustedRoot.certificateAuthorities }),
    'a certificate by another CA': async () => {
      const signer = generateSigner(P256)
      const foreign = await other.issue({ key: signer.publicKey })
      return verifySigned(await signedWith(foreign.der, signer), root)
    },
    'a root without certificate authorities': async () =>
      verifySigned(await make(V2), { ...root, certificateAuthorities: [] }),
    'an authority without its intermediate': async () =>
      verifySigned(await make(V2), withChain(instance.caChain[1].der)),
    'an authority whose certificates do not parse': async () =>
      verifySigned(await make(V2), withChain(utf8Encode('none'))),
    'a changed certificate': async () => {
      const signer = generateSigner(P256)
      const { der } = await instance.issue({ key: signer.publicKey })
      return verifySigned(await signedWith(flip(der, der.length - 1), signer), root)
    },
  },
  VERIFY_CHAIN_INVALID: {
    'a certificate that is not for signing code': async () => {
      // id-kp-codeSigning becomes id-kp-emailProtection.
      const purpose = Uint8Array.of(0x2b, 6, 1, 5, 5, 7, 3, 3)
      const changeTbs = (tbs: Uint8Array): Uint8Array => flipTo(tbs, findBytes(tbs, purpose) + 7, 4)
      return verifySigned(await make(V2, { leaf: { changeTbs } }), root)
    },
  },
  VERIFY_CHAIN_EXPIRED: {
    'an intermediate that was expired': async () =>
      expiredChain({ intermediateDates: { notBefore: START, notAfter: later(NOW, -1) } }),
    'an intermediate that was not valid yet': async () =>
      expiredChain({ intermediateDates: { notBefore: later(NOW, 1), notAfter: END } }),
    'a root that was expired': async () => expiredChain({ caDates: { notBefore: START, notAfter: later(NOW, -1) } }),
  },
  VERIFY_AUTHORITY_WINDOW: {
    'an authority retired before': async () => verifySigned(await make(V2), caWindow(START, later(NOW, -1))),
    'an authority not in use yet': async () => verifySigned(await make(V2), caWindow(later(NOW, 1))),
  },
  VERIFY_CERTIFICATE_EXPIRED: {
    'signed after the certificate expired': async () => verifySigned(await make(V2, { at: later(NOW, 541) }), root),
    'signed before it was issued': async () => verifySigned(await make(V2, { at: later(NOW, -61) }), root),
    'one of two times outside': async () => {
      const signed = await make('0.3 message, v1 with timestamp')
      const late = await instance.timestamp(signatureOf(signed), later(NOW, 600))
      return verifySigned(signed, root, { bundle: { ...signed.bundle, timestamps: [late] } })
    },
  },
  VERIFY_SCT_MISSING: {
    'a certificate without SCTs': async () => verifySigned(await make(V2, { leaf: { scts: () => [] } }), root),
  },
  VERIFY_SCT_INVALID: {
    'the SCT of another certificate': async () => {
      const scts = embeddedScts((await make(V2)).certificate)
      return verifySigned(await make(V2, { leaf: { scts: () => scts } }), root)
    },
    'an SCT signed by another key': async () => {
      const scts = async (own: { logId: Uint8Array }) => {
        const foreign = await other.sct(utf8Encode('tbs'))
        return [{ ...foreign, logId: own.logId }]
      }
      return verifySigned(await make(V2, { leaf: { scts } }), root)
    },
    'an SCT over a certificate that is still a precertificate': async () => {
      const poison = derSequence(derOid('1.3.6.1.4.1.11129.2.4.3'), derOctetString(DER_NULL))
      const changeTbs = (tbs: Uint8Array): Uint8Array =>
        parseTbsCertificate(tbs).extensions.has(SCT_LIST) ? rebuilt(tbs, (extensions) => [...extensions, poison]) : tbs
      return verifySigned(await make(V2, { leaf: { changeTbs } }), root)
    },
    'a list of SCTs that does not parse': async () => {
      // The version of the SCT, which stands before its log id; the TBS that the SCT covers has none.
      const logId = nodeCrypto.hash('SHA2_256', instance.ctSigner.publicKey.spki)
      const changeTbs = (tbs: Uint8Array): Uint8Array =>
        findBytes(tbs, logId) < 0 ? tbs : flip(tbs, findBytes(tbs, logId) - 1)
      return verifySigned(await make(V2, { leaf: { changeTbs } }), root)
    },
  },
  VERIFY_SCT_LOG_UNKNOWN: {
    'a certificate log that is not in the root': async () =>
      verifySigned(await make(V2), { ...root, ctlogs: other.trustedRoot.ctlogs }),
    'a root without certificate logs': async () => verifySigned(await make(V2), { ...root, ctlogs: [] }),
  },
  VERIFY_SCT_WINDOW: {
    'a certificate log retired before': async () =>
      verifySigned(await make(V2), logs('ctlogs', withWindow(START, later(NOW, -1)))),
    'a certificate log not in use yet': async () =>
      verifySigned(await make(V2), logs('ctlogs', withWindow(later(NOW, 1)))),
  },
  VERIFY_SCT_THRESHOLD: {
    'one certificate log where two are asked for': async () => withThreshold(await make(V2), { certificateLogs: 2 }),
    'one certificate log twice where two are asked for': async () =>
      withThreshold(await make(V2, { leaf: { scts: (own) => [own, own] } }), { certificateLogs: 2 }),
  },
} satisfies Ways
