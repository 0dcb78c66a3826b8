// The verifier in headless Chromium, over the vectors that it is tested with in Node: bundled for a browser without any module of Node, it must say of
// every case what it says in Node with the other cryptography, word for word.
import { build } from 'esbuild'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nodeCrypto } from '@touchmark/crypto/node'
import { conformanceCases, conformanceFolder, swapCases } from './cases.mjs'
import { launchChromium } from './chromium.mjs'
import { judge } from './judge.mjs'
import { fromWire, toWire } from './wire.mjs'

const folder = dirname(fileURLToPath(import.meta.url))

/** The page's script, and what is wrong with what it was made from. With `platform: browser` a module of Node does not resolve, which ends the build. */
async function pageScript() {
  const { outputFiles, metafile } = await build({
    absWorkingDir: join(folder, '..', '..'),
    entryPoints: [join(folder, 'page.mjs')],
    bundle: true,
    platform: 'browser',
    target: 'es2023',
    format: 'iife',
    metafile: true,
    logLevel: 'silent',
    write: false,
  })
  const others = Object.keys(metafile.inputs).filter(
    (path) => !/^(test\/browser|libs\/[a-z0-9]+\/dist|node_modules\/@noble\/(curves|hashes))\//.test(path),
  )
  return { script: outputFiles[0].text, others }
}

function problemOf({ good }, inNode, inPage) {
  if (inPage.fault !== undefined) return `a fault in the browser: ${inPage.fault}`
  if (toWire(inNode) !== toWire(inPage)) return `in Node ${toWire(inNode)}, in the browser ${toWire(inPage)}`
  if (good !== undefined && good !== (inPage.code === undefined)) return `judged ${inPage.code ?? 'good'}`
  return undefined
}

/** Runs every case; `report(name, problem)` takes each outcome, with a problem when it failed. */
export async function run(report) {
  const suite = conformanceFolder()
  if (suite === undefined) console.log('skipped: sigstore-conformance, which TOUCHMARK_VECTORS names no folder of')
  const cases = [...(suite === undefined ? [] : conformanceCases(suite)), ...(await swapCases())]
  const { script, others } = await pageScript()
  report('the bundle for a browser is made of our libs and @noble', others.length > 0 ? others.join(', ') : undefined)
  const browser = await launchChromium()
  try {
    const page = await browser.newPage()
    await page.addScriptTag({ content: script })
    const globals = await page.evaluate('["process", "Buffer", "require"].filter((name) => name in globalThis)')
    report('the page has nothing of Node', globals.length > 0 ? globals.join(', ') : undefined)
    for (const one of cases) {
      const text = toWire(one.input)
      const inPage = fromWire(await page.evaluate((input) => globalThis.judge(input), text))
      report(one.name, problemOf(one, fromWire(judge(text, nodeCrypto)), inPage))
    }
  } finally {
    await browser.close()
  }
}
