import type { UpOptions } from '@touchmark/app-standalone'

/** `touchmark up`: runs the whole stack in this process until it is told to stop. Nest and SQL are loaded here and nowhere else. */
export async function upCommand(options: UpOptions): Promise<void> {
  const { runStandalone } = await import('@touchmark/app-standalone')
  await runStandalone(options)
}
