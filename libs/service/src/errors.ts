import { CodedError } from '@touchmark/errors'

export type ServiceErrorCode =
  /** A request's body is larger than its route takes. */
  | 'SERVICE_BODY_TOO_LARGE'
  /** The client went away before its request was complete. */
  | 'SERVICE_BODY_ABORTED'
  /** A request's body did not arrive in time. */
  | 'SERVICE_BODY_TIMEOUT'
  /** So much of other bodies is on its way that there is no room for this one. */
  | 'SERVICE_BODY_BUSY'
  /** Another process listens on this port. */
  | 'SERVICE_PORT_TAKEN'
  /** The address cannot be listened on: it is not of this machine, or the port is for root. */
  | 'SERVICE_LISTEN_FAILED'

export class ServiceError extends CodedError<ServiceErrorCode> {}
