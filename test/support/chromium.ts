import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Browser, chromium } from 'playwright-core'

/** The browser of tests and benchmarks. It may be missing. */
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
  // Chromium replaces the startup page while Playwright attaches to it. Now and then the attach then never ends.
  '--no-startup-window',
]

// Several browsers start at once on a busy machine.
export const patienceMs = 120_000

/** Starts Chromium without Playwright's defaults: they keep pages visible, and such a page cannot be frozen. */
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
      // Chromium may exit before it answers.
      devtools.send('Browser.close').catch(() => {})
      await exited
      // Its helper processes write to the profile until they have exited, too.
      rmSync(profile, { recursive: true, force: true, maxRetries: 50, retryDelay: 20 })
    },
  }
}
