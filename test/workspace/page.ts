import axeCore from 'axe-core'
import type { Locator, Page, WebSocketRoute } from 'playwright-core'
import { expect, onTestFinished } from 'vitest'
import type { DaemonInfo, Role } from '../../protocol/index.ts'
import { openPeer } from '../support/rpc-peer.ts'
import { until } from '../support/until.ts'

/** What a page must never cause. Checked when the test ends. */
interface Faults {
  errors: string[]
  requests: string[]
}

/**
 * Opens the workspace of a daemon as `muxd open` does. The test fails at its end if the page threw, violated its
 * content security policy, or sent a request to anything but the daemon.
 */
export async function openWorkspace(
  page: Page,
  { info, role = 'control', workspace }: { info: DaemonInfo; role?: Role; workspace?: string },
): Promise<void> {
  watchForFaults(page, originOf(info))
  await page.goto(await linkTo(info, role, workspace))
}

/** Returns a link that works once. */
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
    // The browser itself logs an error when the daemon is gone or refuses a request.
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

/** Looks in the conversation only: the session list has a filter of the same name. */
export const seesRunning = (page: Page): Promise<void> =>
  page.locator('.conversation .run-status-bar').getByText('Running').waitFor()

/** Opens a session from the session list. */
export const openSession = (page: Page, title: string | RegExp): Promise<void> =>
  page
    .getByRole('listbox', { name: /Sessions/ })
    .getByRole('option', { name: title })
    .click()

/** Returns the words that Claude has said in the conversations on the page. */
export async function saidIn(page: Page): Promise<string[]> {
  return words((await page.locator('.said').allTextContents()).join(' '))
}

export const words = (text: string): string[] => text.split(/\s+/).filter(Boolean)

/** Returns what axe finds wrong, one text a rule with the elements concerned. */
export async function violations(page: Page): Promise<string[]> {
  // The debugger injects axe, because the policy allows no script from a test either.
  await page.evaluate(`${axeCore.source}; globalThis.axe = axe; undefined`)
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof axeCore }
    const { violations: found } = await axe.run(document)
    return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`)
  })
}

/** Returns a function that closes the page's connections and refuses new ones. Its result allows them again. */
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
