import { readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { expect, onTestFinished } from 'vitest'
import type { DaemonInfo } from '../../protocol/index.ts'

const built = fileURLToPath(new URL('../../dist/workspace/', import.meta.url))
const policy = [
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'",
  "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
].join('; ')
const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }

/** What a page must not do, whatever is shown: checked when the test ends. */
interface Faults {
  errors: string[]
  requests: string[]
}

/**
 * Opens the workspace page of a daemon, as built, under the policy that it is served with. When the test ends, nothing
 * may have been thrown, violated the policy, or gone to anybody but the daemon. `token` goes where `muxd open` puts it.
 */
export async function openWorkspace(
  page: Page,
  { info, token = info.token, hash = '' }: { info: DaemonInfo; token?: string | null; hash?: string },
): Promise<Faults> {
  const origin = originOf(info)
  const faults: Faults = { errors: [], requests: [] }
  page.on('pageerror', error => faults.errors.push(String(error.stack)))
  page.on('console', message => {
    // A daemon that is gone is told to the console by the browser itself.
    if (message.type() === 'error' && !/WebSocket connection|Failed to load resource/.test(message.text()))
      faults.errors.push(message.text())
  })
  page.on('request', request => {
    if (!request.url().startsWith(origin) && !request.url().startsWith('data:')) faults.requests.push(request.url())
  })
  onTestFinished(() => expect(faults).toEqual({ errors: [], requests: [] }))
  await servePage(page, origin)
  if (token !== null)
    await page.addInitScript(secret => {
      if (sessionStorage.getItem('muxd.token') === null) sessionStorage.setItem('muxd.token', secret)
    }, token)
  await page.goto(`${origin}/${hash}`)
  return faults
}

export const originOf = ({ url }: DaemonInfo) => url.replace('ws:', 'http:').replace('/ws', '')

/** Serves the page's files at the daemon's address; everything else goes to the daemon. */
export async function servePage(page: Page, origin: string): Promise<void> {
  await page.route(`${origin}/**`, async route => {
    const { pathname } = new URL(route.request().url())
    const name = pathname === '/' ? 'index.html' : pathname.slice(1)
    if (!/^[\w.-]+\.(html|js|css|map)$/.test(name)) return route.continue()
    await route.fulfill({
      contentType: types[extname(name)] ?? 'application/json',
      headers: { 'content-security-policy': policy },
      body: readFileSync(built + name),
    })
  })
}
