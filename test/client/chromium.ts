import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, onTestFinished } from 'vitest'
import { createTempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const executablePath = process.env['MUXD_TEST_CHROMIUM'] ?? '/usr/bin/chromium'
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
const bundle = readFileSync(new URL('../../dist/client/browser.js', import.meta.url), 'utf8')

// Several of them start at once on a machine that has other things to do.
const patienceMs = 120_000

/** Opens a page at `url` with the SDK in it as `sdk`. */
export type OpenPage = (url: string) => Promise<Page>

/** Tests with pages of the SDK in one real Chromium, where there is one. */
export function describeInChromium(title: string, tests: (openPage: OpenPage) => void): void {
  describeWithPages(title, newPage =>
    tests(async url => {
      const page = await newPage()
      await page.route('**/sdk.js', route => route.fulfill({ contentType: 'text/javascript', body: bundle }))
      await page.goto(url)
      await page.addScriptTag({ type: 'module', content: "import * as sdk from '/sdk.js'; globalThis.sdk = sdk" })
      await page.waitForFunction('globalThis.sdk')
      return page
    }),
  )
}

/** Opens an empty page; `apart` in a context of its own, which shares nothing with other pages, as another browser. */
export type NewPage = (options?: { apart?: boolean }) => Promise<Page>

/** Tests with new pages of one real Chromium, where there is one. */
export function describeWithPages(title: string, tests: (newPage: NewPage) => void): void {
  describe.skipIf(!existsSync(executablePath))(`${title} (skipped where there is no ${executablePath})`, () => {
    let started: Awaited<ReturnType<typeof startChromium>>
    beforeAll(async () => {
      started = await startChromium()
    }, patienceMs)
    afterAll(() => started.close())
    tests(async ({ apart = false } = {}) => {
      const { browser } = started
      const context = apart ? await browser.newContext() : browser.contexts()[0]!
      const page = await context.newPage()
      onTestFinished(() => (apart ? context : page).close())
      return page
    })
  })
}

/** Not with Playwright's defaults: a page that is told to be visible at all times cannot be frozen. */
async function startChromium() {
  const profile = createTempDir()
  const child = spawn(executablePath, [...args, `--user-data-dir=${profile.path}`], {
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
      await until(() => profile.remove())
    },
  }
}
