import { randomBytes } from '@touchmark/crypto/node'
import { utf8Encode } from '@touchmark/encoding'
import { buildRootCertificate } from '@touchmark/x509'
import { later, NOW, START } from './instance.js'
import { verifySigned } from './verifying.js'
import {
  instance,
  other,
  root,
  make,
  V2,
  KEY,
  changeEntry,
  flip,
  signatureOf,
  tsaWindow,
  withThreshold,
} from './workshop.js'
import type { Ways } from './ways.js'

/** Ways to be refused for timestamps: each is a bundle that is right but for the one thing. */
export const TIME_REFUSALS = {
  VERIFY_TIME_MISSING: {
    'a v2 entry without a timestamp': async () => {
      const signed = await make(V2)
      return verifySigned(signed, root, { bundle: { ...signed.bundle, timestamps: [] } })
    },
    'a timestamp of an unknown authority': async () => {
      const signed = await make(V2)
      const timestamps = [await other.timestamp(signatureOf(signed))]
      return verifySigned(signed, root, { bundle: { ...signed.bundle, timestamps } })
    },
    'a v1 entry whose time is not promised': async () => {
      const signed = await make('0.3 message, v1 without promise')
      const bundle = changeEntry(signed, () => ({ integratedTime: BigInt(NOW.getTime() / 1000) }))
      return verifySigned(signed, root, { bundle: { ...bundle, timestamps: [] } })
    },
    'a root without timestamp authorities': async () =>
      verifySigned(await make(V2), { ...root, timestampAuthorities: [] }),
    'an authority whose certificates do not parse': async () => {
      const [tsa] = root.timestampAuthorities
      return verifySigned(await make(V2), {
        ...root,
        timestampAuthorities: [{ ...tsa!, certificates: [utf8Encode('none')] }],
      })
    },
  },
  VERIFY_TIME_THRESHOLD: {
    'one authority where two are asked for': async () => withThreshold(await make(V2), { times: 2 }),
    'two timestamps of one authority where two are asked for': async () => {
      const signed = await make(V2)
      const timestamps = [...signed.bundle.timestamps, await instance.timestamp(signatureOf(signed))]
      return withThreshold({ ...signed, bundle: { ...signed.bundle, timestamps } }, { times: 2 })
    },
    'no time for a key where one is asked for': async () => {
      const signed = await make(KEY)
      return verifySigned(signed, root, {
        bundle: { ...signed.bundle, timestamps: [] },
        policy: { thresholds: { times: 1 } },
      })
    },
  },
  VERIFY_TIMESTAMP_OTHER_BYTES: {
    'the timestamp of another signature': async () => {
      const signed = await make(V2)
      const timestamps = (await make(V2)).bundle.timestamps
      return verifySigned(signed, root, { bundle: { ...signed.bundle, timestamps } })
    },
    'a timestamp over the artifact': async () => {
      const signed = await make(V2)
      const timestamps = [await instance.timestamp(signed.artifact)]
      return verifySigned(signed, root, { bundle: { ...signed.bundle, timestamps } })
    },
    'the same for a key': async () => {
      const signed = await make(KEY)
      const timestamps = [await instance.timestamp(signed.artifact)]
      return verifySigned(signed, root, { bundle: { ...signed.bundle, timestamps } })
    },
  },
  VERIFY_TIMESTAMP_WINDOW: {
    'an authority retired before': async () => verifySigned(await make(V2), tsaWindow(START, later(NOW, -1))),
    'an authority whose root certificate had expired': async () => {
      const [leaf] = instance.tsaChain
      const subject = { organization: 'example.com', commonName: 'tsa root' }
      const dates = { notBefore: START, notAfter: later(NOW, -1) }
      const expired = await buildRootCertificate({
        subject,
        ...dates,
        signer: instance.tsaRootSigner,
        random: randomBytes,
      })
      const [tsa] = root.timestampAuthorities
      const timestampAuthorities = [{ ...tsa!, certificates: [leaf.der, expired] as const }]
      return verifySigned(await make(V2), { ...root, timestampAuthorities })
    },
    'an authority not in use yet': async () => verifySigned(await make(V2), tsaWindow(later(NOW, 1))),
  },
  VERIFY_TIMESTAMP_INVALID: {
    'a timestamp that is none': async () => {
      const signed = await make(V2)
      return verifySigned(signed, root, { bundle: { ...signed.bundle, timestamps: [utf8Encode('none')] } })
    },
    'a timestamp with a changed signature': async () => {
      const signed = await make(V2)
      const [response] = signed.bundle.timestamps
      return verifySigned(signed, root, {
        bundle: { ...signed.bundle, timestamps: [flip(response!, response!.length - 1)] },
      })
    },
    'a good timestamp and a broken one': async () => {
      const signed = await make('0.3 message, v1 with timestamp')
      const [response] = signed.bundle.timestamps
      const timestamps = [response!, flip(response!, response!.length - 1)]
      return verifySigned(signed, root, { bundle: { ...signed.bundle, timestamps } })
    },
  },
} satisfies Ways
