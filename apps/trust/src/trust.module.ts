import { Module, type DynamicModule } from '@nestjs/common'
import { TRUST_DOCUMENTS, type TrustDocuments } from './documents.js'
import { TrustController } from './trust.controller.js'

/** Trust material under /trust. */
@Module({})
export class TrustModule {
  /** `documents` is asked at each request, for the shards of a log change while it runs; it gives the same object until they do. */
  static register(documents: () => TrustDocuments): DynamicModule {
    return {
      module: TrustModule,
      controllers: [TrustController],
      providers: [{ provide: TRUST_DOCUMENTS, useValue: documents }],
    }
  }
}
