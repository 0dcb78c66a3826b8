import { Module, type DynamicModule } from '@nestjs/common'
import { SearchController } from './http/search/search.controller.js'
import { SEARCH_SETTINGS, type SearchSettings } from './http/search/search-settings.js'

/** Searching the signature logs over HTTP, as a Nest module of its own: an instance can be without it. */
@Module({})
export class SearchModule {
  static register(settings: SearchSettings): DynamicModule {
    return {
      module: SearchModule,
      controllers: [SearchController],
      providers: [{ provide: SEARCH_SETTINGS, useValue: settings }],
    }
  }
}
