import { CodedError } from '@touchmark/errors'

export type ServiceErrorCode =
  | 'SERVICE_BODY_TOO_LARGE'
  | 'SERVICE_BODY_ABORTED'
  | 'SERVICE_BODY_TIMEOUT'
  | 'SERVICE_CONFIG_INVALID'
  | 'SERVICE_PORT_TAKEN'

export class ServiceError extends CodedError<ServiceErrorCode> {}
