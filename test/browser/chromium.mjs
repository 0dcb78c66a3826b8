// Finds the system's Chromium and starts it headless for tests that need a real browser.
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium } from 'playwright-core'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']

/** Path of the Chromium to use: CHROME_BIN, else the first known name in PATH; undefined when there is none. */
export function chromiumPath(environment = process.env) {
  if (environment.CHROME_BIN) return environment.CHROME_BIN
  const folders = (environment.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable)
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * A running headless Chromium, as a Browser of playwright; the caller closes it. Options go to playwright's `launch`.
 * Throws an Error that says what to install when there is no Chromium.
 */
export async function launchChromium(options = {}) {
  const executablePath = chromiumPath()
  if (executablePath === undefined)
    throw new Error(
      'no Chromium found: install it (Debian: apt-get install chromium) or set CHROME_BIN to the path of one',
    )
  // Chromium's sandbox refuses to run as root; a small /dev/shm (containers) makes tabs crash.
  const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  return chromium.launch({
    executablePath,
    headless: true,
    ...options,
    args: [...asRoot, '--disable-dev-shm-usage', ...(options.args ?? [])],
  })
}
