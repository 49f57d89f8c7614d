import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Browser, chromium } from 'playwright-core'

/** Where tests and benchmarks find a browser, if there is one. */
export const chromiumPath = process.env['MUXD_TEST_CHROMIUM'] ?? '/usr/bin/chromium'
const args = [
  '--headless=new',
  '--remote-debugging-port=0',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Its page is replaced while Playwright attaches to it, which now and then never ends.
  '--no-startup-window',
]

// Several of them start at once on a machine that has other things to do.
export const patienceMs = 120_000

/** Not with Playwright's defaults: a page that is told to be visible at all times cannot be frozen. */
export async function startChromium(): Promise<{ browser: Browser; close: () => Promise<void> }> {
  const profile = mkdtempSync(join(tmpdir(), 'muxd-chromium-'))
  const child = spawn(chromiumPath, [...args, `--user-data-dir=${profile}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const exited = once(child, 'exit')
  let endpoint: string | undefined
  for await (const line of createInterface(child.stderr)) {
    endpoint = /listening on (ws:\S+)/.exec(line)?.[1]
    if (endpoint) break
  }
  child.stderr.resume()
  const browser = await chromium.connectOverCDP(endpoint!, { noDefaults: true, timeout: patienceMs })
  return {
    browser,
    async close() {
      const devtools = await browser.newBrowserCDPSession()
      // It may be gone before it has answered.
      devtools.send('Browser.close').catch(() => {})
      await exited
      // Its helpers write to the profile until they are gone as well.
      rmSync(profile, { recursive: true, force: true, maxRetries: 50, retryDelay: 20 })
    },
  }
}
