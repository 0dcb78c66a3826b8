import { randomBytes } from 'node:crypto'
import { Module, type DynamicModule } from '@nestjs/common'
import type { Clock } from '@touchmark/clock'
import type { CryptoPort, HashAlgorithm, Signer } from '@touchmark/crypto'
import { createTimestampIssuer } from '@touchmark/timestamp'
import type { Certificate } from '@touchmark/x509'
import { MonotonicClockGuard, type ClockGuard } from './clock-guard.js'
import { PingController } from './http/ping.controller.js'
import { TimestampController } from './http/timestamp.controller.js'
import { TSA_SETTINGS, type TsaSettings } from './tokens.js'

/** The contract's limit of a request body. */
export const MAX_BODY_BYTES = 1 << 20

/** Settings of a timestamp authority; the names in brackets are the reference's (tsa.md §6). */
export interface TsaOptions {
  readonly signer: Signer
  /** Leaf first, root last (certificate-chain-path). */
  readonly chain: readonly Certificate[]
  readonly clock: Clock
  readonly crypto: CryptoPort
  readonly policy?: {
    /** For requests that name none (default-policy-oid). */
    readonly default?: string
    /** What a request may name; the default is not implied (accepted-policy-oids). */
    readonly accepted?: readonly string[]
  }
  /** include-chain-in-response */
  readonly includeChain?: boolean
  /** allow-custom-extensions */
  readonly allowExtensions?: boolean
  /** enforce-intermediate-eku */
  readonly enforceIntermediatePurpose?: boolean
  /** timestamp-signer-hash, for keys whose scheme names no hash. */
  readonly signerHash?: HashAlgorithm
  /** 201 in place of 200 (use-http-201). */
  readonly successStatus?: 200 | 201
  /** max-request-body-size */
  readonly maxBodyBytes?: number
  /** Default: a {@link MonotonicClockGuard} on the clock, which for a clock moved by hand is wrong: give `trustingClockGuard`. */
  readonly clockGuard?: ClockGuard
  /** What else is known of the clock; false gives 503. Only for the default guard. */
  readonly clockHealth?: () => boolean
  /** MUST be cryptographically random. Default: the operating system's. */
  readonly random?: (bytes: number) => Uint8Array
  /** Serve `/ping`: false where another part of the origin does. Default true. */
  readonly servePing?: boolean
  /** Is told of every error that is ours (signing failed, clock not proven). */
  readonly report?: (error: unknown) => void
}

/** The timestamp authority as a Nest module. Routes that it does not take are answered by its ApiShape. */
@Module({})
export class TsaModule {
  /** Checks the chain, key and policies first: throws TIMESTAMP_CHAIN_* or TIMESTAMP_SETTINGS_INVALID and starts nothing. */
  static register(options: TsaOptions): DynamicModule {
    const settings = checkedSettings(options)
    return {
      module: TsaModule,
      controllers: options.servePing === false ? [TimestampController] : [TimestampController, PingController],
      providers: [{ provide: TSA_SETTINGS, useValue: settings }],
    }
  }
}

function checkedSettings(options: TsaOptions): TsaSettings {
  const { clock, clockHealth, policy = {} } = options
  const issuer = createTimestampIssuer({
    signer: options.signer,
    chain: options.chain,
    at: clock.now(),
    crypto: options.crypto,
    random: options.random ?? ((bytes) => randomBytes(bytes)),
    ...(policy.default === undefined ? {} : { defaultPolicy: policy.default }),
    ...(policy.accepted === undefined ? {} : { acceptedPolicies: policy.accepted }),
    includeChain: options.includeChain ?? false,
    allowExtensions: options.allowExtensions ?? false,
    enforceIntermediatePurpose: options.enforceIntermediatePurpose ?? true,
    ...(options.signerHash === undefined ? {} : { signerHash: options.signerHash }),
  })
  const guard =
    options.clockGuard ??
    new MonotonicClockGuard({ clock, ...(clockHealth === undefined ? {} : { isHealthy: clockHealth }) })
  return {
    issuer,
    guard,
    successStatus: options.successStatus ?? 200,
    maxBodyBytes: options.maxBodyBytes ?? MAX_BODY_BYTES,
    report: options.report ?? (() => undefined),
  }
}
