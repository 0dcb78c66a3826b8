export type { Artifact } from './artifact.js'
export { digestAlgorithmsOf } from './content.js'
export {
  POLICY_ERROR_CODES,
  PolicyError,
  VERIFY_ERROR_CODES,
  VerifyError,
  type PolicyErrorCode,
  type VerifyErrorCode,
} from './errors.js'
export { validatePolicy, type IdentityPolicy, type Policy, type Thresholds } from './policy.js'
export type * from './result.js'
export type { KeyTrust } from './signer.js'
export { verifyBundle, type VerifyBundleInput } from './verify-bundle.js'
