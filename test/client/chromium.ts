import { existsSync, readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, onTestFinished } from 'vitest'
import { chromiumPath, patienceMs, startChromium } from '../support/chromium.ts'

const bundle = readFileSync(new URL('../../dist/client/browser.js', import.meta.url), 'utf8')

/** Opens a page at `url` with the SDK in it as `sdk`. */
export type OpenPage = (url: string) => Promise<Page>

/** Defines tests with pages of the SDK in one real Chromium. Skipped if Chromium is missing. */
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

/** Opens an empty page. With `apart` it has its own browser context and shares nothing with other pages. */
export type NewPage = (options?: { apart?: boolean }) => Promise<Page>

/** Defines tests with new pages of one real Chromium. Skipped if Chromium is missing. */
export function describeWithPages(title: string, tests: (newPage: NewPage) => void): void {
  describe.skipIf(!existsSync(chromiumPath))(`${title} (skipped where there is no ${chromiumPath})`, () => {
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
