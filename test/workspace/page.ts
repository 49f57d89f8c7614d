import axeCore from 'axe-core'
import type { Locator, Page, WebSocketRoute } from 'playwright-core'
import { expect, onTestFinished } from 'vitest'
import type { DaemonInfo, Role } from '../../protocol/index.ts'
import { openPeer } from '../support/rpc-peer.ts'
import { until } from '../support/until.ts'

/** What a page must not do, whatever is shown: checked when the test ends. */
interface Faults {
  errors: string[]
  requests: string[]
}

/**
 * Opens the workspace of a daemon as `muxd open` does. When the test ends, nothing may have been thrown, have violated
 * the policy, or have gone to anybody but the daemon.
 */
export async function openWorkspace(
  page: Page,
  { info, role = 'control', workspace }: { info: DaemonInfo; role?: Role; workspace?: string },
): Promise<void> {
  watchForFaults(page, originOf(info))
  await page.goto(await linkTo(info, role, workspace))
}

/** A link that is good once. */
export async function linkTo(info: DaemonInfo, role: Role = 'control', workspace?: string): Promise<string> {
  const peer = await openPeer(info.url, info.token)
  const { url } = await peer.call<{ url: string }>('token.link', { role })
  peer.terminate()
  return workspace === undefined ? url : `${url}&workspace=${workspace}`
}

export function watchForFaults(page: Page, origin: string): void {
  const faults: Faults = { errors: [], requests: [] }
  page.on('pageerror', error => faults.errors.push(String(error.stack)))
  page.on('console', message => {
    // That a daemon is gone, or refuses, is told to the console by the browser itself.
    if (message.type() === 'error' && !/WebSocket connection|Failed to load resource/.test(message.text()))
      faults.errors.push(message.text())
  })
  page.on('request', request => {
    if (!request.url().startsWith(origin) && !request.url().startsWith('data:')) faults.requests.push(request.url())
  })
  onTestFinished(() => expect(faults).toEqual({ errors: [], requests: [] }))
}

export const originOf = ({ url }: DaemonInfo) => url.replace('ws:', 'http:').replace('/ws', '')

export const tab = (page: Page, name: string | RegExp): Locator => page.getByRole('tab', { name })

export const isShown = (page: Page, name: string | RegExp): Promise<void> =>
  until(async () => expect(await tab(page, name).getAttribute('aria-selected')).toBe('true'))

export const sees = (page: Page, text: string | RegExp): Promise<void> => page.getByText(text).first().waitFor()

/** Beside its list there is a choice of the same name. */
export const seesRunning = (page: Page): Promise<void> =>
  page.locator('.conversation .run-status-bar').getByText('Running').waitFor()

/** Opens a session from the list of them. */
export const openSession = (page: Page, title: string | RegExp): Promise<void> =>
  page
    .getByRole('listbox', { name: /Sessions/ })
    .getByRole('option', { name: title })
    .click()

/** What Claude has said in the conversations that are shown, word by word. */
export async function saidIn(page: Page): Promise<string[]> {
  return words((await page.locator('.said').allTextContents()).join(' '))
}

export const words = (text: string): string[] => text.split(/\s+/).filter(Boolean)

/** What axe finds wrong, by rule with where. */
export async function violations(page: Page): Promise<string[]> {
  // By the debugger's hand: the policy lets no script in from a test either.
  await page.evaluate(`${axeCore.source}; globalThis.axe = axe; undefined`)
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof axeCore }
    const { violations: found } = await axe.run(document)
    return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`)
  })
}

/** The returned function ends the page's connections and lets no other one be made until its result is called. */
export async function holdConnections(page: Page): Promise<() => Promise<() => void>> {
  const open = new Set<WebSocketRoute>()
  let isHeld = false
  await page.routeWebSocket('**/ws', route => {
    if (isHeld) return route.close({ code: 1_013 })
    open.add(route)
    route.connectToServer()
    return undefined
  })
  return async () => {
    isHeld = true
    for (const route of open) await route.close({ code: 1_012 })
    open.clear()
    return () => {
      isHeld = false
    }
  }
}
