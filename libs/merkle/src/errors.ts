import { CodedError } from '@touchmark/errors'

export type MerkleErrorCode = 'MERKLE_PROOF_INVALID' | 'MERKLE_RANGE_INVALID' | 'MERKLE_NODE_MISSING'

export class MerkleError extends CodedError<MerkleErrorCode> {}
