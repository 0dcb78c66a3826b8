import type { Browser, LaunchOptions } from 'playwright-core'

export function chromiumPath(environment?: NodeJS.ProcessEnv): string | undefined
export function launchChromium(options?: LaunchOptions): Promise<Browser>
