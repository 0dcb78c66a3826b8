export type ServiceName = 'trust' | 'ca' | 'log' | 'tsa' | 'discovery' | 'token'

export interface ProxyAnswer {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: Buffer
}

export type Fault = { readonly times?: number; readonly after?: number } & (
  | {
      readonly kind: 'status'
      readonly status: number
      readonly headers?: Record<string, string>
      readonly body?: string
    }
  | { readonly kind: 'redirect'; readonly location: string }
  | { readonly kind: 'garbage'; readonly body?: string }
  | { readonly kind: 'hang' | 'reset' | 'truncated' | 'oversized' }
  | { readonly kind: 'dribble'; readonly everyMs?: number }
  | { readonly kind: 'replay'; readonly answer: ProxyAnswer }
  | { readonly kind: 'changed'; readonly change: (body: Buffer) => Buffer | string }
)

export class FaultProxy {
  static start(target: string, publicUrl?: string): Promise<FaultProxy>
  readonly url: string
  readonly requests: { readonly service: ServiceName | 'other'; readonly at: number }[]
  readonly answers: Map<ServiceName, ProxyAnswer>
  asked(service: ServiceName): number
  gapMs(service: ServiceName): number
  fault(service: ServiceName, fault: Fault): void
  move(service: 'ca' | 'log' | 'tsa' | 'discovery', url: string): void
  tls(key: string, cert: string): Promise<string>
  heal(): void
  close(): Promise<void>
}
