import type { MaintenanceOptions } from '@touchmark/app-standalone'
import type { CliContext } from '../context.js'
import { printJson, Progress, rows } from '../output.js'

/** `touchmark log reindex`: makes the search index anew, while the server runs or while it does not. */
export async function logReindex(context: CliContext, options: MaintenanceOptions): Promise<void> {
  const { reindexSearch } = await import('@touchmark/app-standalone')
  const progress = new Progress(context)
  const trees = await reindexSearch(options, ({ origin, phase, indexedSize, size }) =>
    progress.show(
      phase === 'clearing' ? `${origin}: removing the old index` : `${origin}: ${indexedSize} of ${size} entries`,
    ),
  ).finally(() => progress.clear())
  if (context.json) return printJson(context, { logs: trees })
  for (const { origin, size, unread } of trees) {
    context.out(rows([['log', origin]], ''))
    context.out(
      rows([
        ['indexed', `${size} entries`],
        ...(unread === 0n ? [] : [['not read in full', `${unread} entries`] as const]),
      ]),
    )
  }
}
