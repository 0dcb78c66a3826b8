import { randomBytes } from 'node:crypto'
import { nodeCrypto } from '@touchmark/crypto/node'
import type { SignContext, SignStep } from '@touchmark/sign'
import { selectServices, type ServiceSelector } from '@touchmark/trust'
import type { CliContext } from './context.js'
import type { TrustedInstance } from './trust-store.js'

export interface SignContextOptions {
  readonly onStep: (step: SignStep, ms: number) => void
  /** A certificate needs a time that somebody vouches for; a key of its own has one where there is an authority. */
  readonly timestamps: 'needed' | 'where there are'
}

/** The services that the instance's signing config names for this client. Throws TRUST_SERVICE_*. */
export function signContext(
  context: CliContext,
  instance: TrustedInstance,
  { onStep, timestamps }: SignContextOptions,
): SignContext {
  const { signingConfig } = instance.config
  const now = context.clock.now()
  const wish = (versions: number[], selector?: ServiceSelector): Parameters<typeof selectServices>[1] => ({
    versions,
    now,
    ...(selector === undefined ? {} : { selector }),
  })
  return {
    services: {
      caUrl: selectServices(signingConfig.caUrls, wish([1]))[0].url,
      logUrl: selectServices(signingConfig.rekorTlogUrls, wish([2], signingConfig.rekorTlogConfig))[0].url,
      ...(timestamps === 'where there are' && signingConfig.tsaUrls.length === 0
        ? {}
        : { tsaUrl: selectServices(signingConfig.tsaUrls, wish([1], signingConfig.tsaConfig))[0].url }),
    },
    http: context.http,
    crypto: nodeCrypto,
    nonce: () => randomBytes(8).readBigUInt64BE(),
    elapsed: () => performance.now(),
    onStep,
  }
}

/** The certificate authority that the instance's signing config names. Throws TRUST_SERVICE_*. */
export function caUrlOf(context: CliContext, instance: TrustedInstance): string {
  return selectServices(instance.config.signingConfig.caUrls, { versions: [1], now: context.clock.now() })[0].url
}

/** The identity provider that the instance's signing config names. */
export function issuerUrl(context: CliContext, instance: TrustedInstance): string {
  return selectServices(instance.config.signingConfig.oidcUrls, { versions: [1], now: context.clock.now() })[0].url
}
