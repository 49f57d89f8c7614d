import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import axeCore from 'axe-core'
import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import type { Workspace } from '../../protocol/index.ts'
import { describeWithPages } from '../client/chromium.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { linkTo, openWorkspace, originOf, watchForFaults } from './page.ts'

/** What axe finds wrong, by rule with where. */
async function violations(page: Page): Promise<string[]> {
  // By the debugger's hand: the policy lets no script in from a test either.
  await page.evaluate(`${axeCore.source}; globalThis.axe = axe; undefined`)
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof axeCore }
    const { violations: found } = await axe.run(document)
    return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`)
  })
}

const tab = (page: Page, name: string | RegExp) => page.getByRole('tab', { name })
const isShown = (page: Page, name: string | RegExp) =>
  until(async () => expect(await tab(page, name).getAttribute('aria-selected')).toBe('true'))
const sees = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor()

describeWithPages('the workspace page', newPage => {
  it('is let in by a link once, forgets its code, and stays in over a reload', async () => {
    const { info } = await startTestDaemon()
    const page = await newPage()
    watchForFaults(page, originOf(info))
    const link = await linkTo(info)
    await page.goto(link)
    await sees(page, 'No session yet')
    expect(page.url()).toBe(`${originOf(info)}/`)
    await sees(page, 'Simulator')
    await page.reload()
    await sees(page, 'No session yet')
    // The same link, in a tab that has no token.
    const other = await newPage()
    watchForFaults(other, originOf(info))
    await other.goto(link)
    await sees(other, 'This page needs a link of its own')
    expect(other.url()).toBe(`${originOf(info)}/`)
    expect(await violations(other)).toEqual([])
  })

  it('begins a session from an example, with the keyboard alone, and lies as its user moved it', async () => {
    const { info, peer } = await startTestDaemon()
    const page = await newPage()
    await openWorkspace(page, { info })
    await sees(page, 'No session yet')
    expect(await violations(page)).toEqual([])
    await page.keyboard.press('Control+k')
    await page.keyboard.type('new ses')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog', { name: 'New session' }).waitFor()
    expect(await violations(page)).toEqual([])
    await page.keyboard.type('sim:text a word of its own')
    await page.keyboard.press('Tab')
    await page.keyboard.type(tempDir())
    await page.keyboard.press('Control+Enter')
    await sees(page, 'a word of its own')
    const session = tab(page, /muxd-test/)
    await session.waitFor()

    const control = await peer()
    const layout = async () =>
      JSON.stringify((await control.call<Workspace>('workspace.get', { workspace: 'main' })).layout)
    await page.keyboard.press('Alt+Backslash')
    await until(async () => expect(await layout()).toMatch(/"tabs":\["session\/s_[^"]+"\],/))
    await page.keyboard.press('Alt+ArrowLeft')
    await page.keyboard.press('Alt+u')
    await isShown(page, 'Usage')
    await page.keyboard.press('Alt+w')
    await until(async () => expect(await layout()).not.toContain('usage'))
    await page.keyboard.press('Alt+m')
    await page.getByRole('button', { name: 'Restore the pane' }).first().waitFor()
    await page.keyboard.press('Alt+m')
    await page.keyboard.press('Alt+s')
    await page.keyboard.press('?')
    // In a text it is a question mark.
    await until(async () => expect(await page.getByRole('searchbox').inputValue()).toBe('?'))
    await page.keyboard.press('Backspace')
    await page.keyboard.press('Control+k')
    await page.keyboard.type('keyboard')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog', { name: 'Keyboard' }).waitFor()
    expect(await violations(page)).toEqual([])
    await page.keyboard.press('Escape')
    // Where it was before is where the focus is again.
    await until(async () => expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('INPUT'))
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await until(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label') === 'Prompt'))
  })

  it('lies in one window as in the other, in each workspace as it was left there', async () => {
    const { info } = await startTestDaemon()
    const [one, two, elsewhere] = [await newPage(), await newPage(), await newPage()]
    await openWorkspace(one, { info })
    await openWorkspace(two, { info })
    await openWorkspace(elsewhere, { info, workspace: 'other' })
    for (const page of [one, two, elsewhere]) await sees(page, 'No session yet')
    // A window behind others draws nothing, and follows all the same.
    await one.bringToFront()
    await tab(one, 'Usage').click()
    await isShown(two, 'Usage')
    await two.bringToFront()
    await tab(two, 'Usage').click()
    await two.keyboard.press('Alt+Backslash')
    await until(async () => expect(await one.getByRole('tablist').count()).toBe(3))
    // Both at once: whoever was last has it everywhere.
    await Promise.all([one.keyboard.press('Alt+d'), two.keyboard.press('Alt+w')])
    const tabsOf = (page: Page) => page.getByRole('tab').allInnerTexts()
    await until(async () => expect(await tabsOf(two)).toEqual(await tabsOf(one)))
    expect(await tabsOf(elsewhere)).toEqual(['Sessions', 'Approvals', 'Usage', 'Daemon'])
    await one.reload()
    await until(async () => expect(await tabsOf(one)).toEqual(await tabsOf(two)))
  })

  it('lets who may only watch look, and change nothing', async () => {
    const { info, peer } = await startTestDaemon()
    const page = await newPage()
    await openWorkspace(page, { info, role: 'observe' })
    await sees(page, 'Watching only')
    await sees(page, 'sessions that others begin appear here')
    expect(await page.getByRole('button', { name: /new/i }).count()).toBe(0)
    await page.keyboard.press('Alt+n')
    await page.keyboard.press('Control+k')
    await page.keyboard.type('session')
    await page.getByRole('option', { name: /Open sessions/ }).waitFor()
    expect(await page.getByRole('option', { name: /New session/ }).count()).toBe(0)
    await page.keyboard.press('Escape')
    await (await peer()).call('run.start', { create: { cwd: tempDir(), title: 'of another' }, prompt: 'sim:text hi' })
    await page.getByRole('option', { name: /of another/ }).click()
    await sees(page, 'hi')
    expect(await page.getByRole('textbox', { name: 'Prompt' }).count()).toBe(0)
    expect(await violations(page)).toEqual([])
  })

  it('says that the daemon is gone, goes on when it is back, and shows what happened meanwhile', async () => {
    const port = await freePort()
    const argv = ['--simulate', '--port', String(port)]
    const first = await startTestDaemon({ argv })
    const page = await newPage()
    await openWorkspace(page, { info: first.info })
    await sees(page, 'No session yet')
    const peer = await first.peer()
    const create = { cwd: tempDir(), title: 'outlives it' }
    await peer.call('run.start', { create, prompt: 'sim:long words=60 delayMs=2000' })
    await page.getByRole('option', { name: /outlives it/ }).click()
    await first.kill()
    await sees(page, 'Reconnecting…')
    expect(await violations(page)).toEqual([])
    await startTestDaemon({ argv, home: first.home })
    await sees(page, 'Connected again')
    await until(async () => expect(await page.getByText('Reconnecting…').count()).toBe(0))
    await page.getByRole('option', { name: /done.*outlives it|outlives it/ }).waitFor()
    await until(async () => expect(await page.locator('.row .dot').getAttribute('class')).toContain('good'))
  })

  it('says what to do where no daemon answers, where the token is revoked, and where there is no Claude Code', async () => {
    const { info, peer } = await startTestDaemon({
      argv: [],
      env: { PATH: '/usr/bin', HOME: tempDir(), MUXD_CLAUDE_BIN: '/nowhere/claude' },
    })
    const page = await newPage()
    await openWorkspace(page, { info })
    await sees(page, 'Claude Code was not found.')
    expect(await violations(page)).toEqual([])
    const control = await peer()
    const { tokens } = await control.call<{ tokens: { id: string; builtIn: boolean }[] }>('token.list')
    for (const { id, builtIn } of tokens) if (!builtIn) await control.call('token.revoke', { id })
    await sees(page, 'The link of this window no longer counts.')
    // A tab that the browser has restored, when nothing runs any more.
    const lonely = await newPage()
    await lonely.addInitScript(() => sessionStorage.setItem('muxd.token', 'x'))
    await lonely.route('**/ws', route => route.abort())
    await lonely.routeWebSocket('**/ws', socket => void socket.close())
    await lonely.goto(`${originOf(info)}/`)
    await sees(lonely, 'No daemon answers')
  })

  it('runs nothing that stands in titles, directories, labels, prompts or answers', async () => {
    const { info, peer } = await startTestDaemon()
    const page = await newPage()
    await openWorkspace(page, { info })
    await sees(page, 'No session yet')
    const evil = `<img src=x onerror="document.title='pwned'"><script>document.title='pwned'</script>`
    const title = `${evil}"><svg onload=alert(1)>`
    const create = { cwd: tempDir(), title, labels: { '<b onclick=x>': evil } }
    const control = await peer()
    const { run, session } = await control.call<{ run: string; session: string }>('run.start', {
      create,
      prompt: `sim:text ${evil} [x](javascript:alert(1))`,
    })
    await control.call('run.wait', { run })
    await page.getByRole('option', { name: /onerror/ }).click()
    await until(() => page.getByRole('tabpanel').getByText('javascript:alert(1)').first().waitFor())
    await page.keyboard.press('Alt+f')
    await page
      .getByRole('listbox', { name: /Frames/ })
      .getByRole('option')
      .last()
      .click()
    await page.keyboard.press('Control+k')
    await page.keyboard.type('onerror')
    await page.getByRole('dialog').getByRole('option').first().waitFor()
    expect(await page.title()).toBe('muxd')
    expect(await page.locator('img, script:not([src]), svg[onload], b[onclick]').count()).toBe(0)
    // A layout that somebody else stored is no better.
    const layout = { version: 1, root: { share: 1, tabs: [`session/${session}`, evil, 'session/<img>'], shown: evil } }
    await control.call('workspace.save', { workspace: 'main', layout })
    await page.keyboard.press('Escape')
    await until(async () => expect(await page.getByRole('tab').count()).toBe(1))
  })

  it('shows one block at a time where there is no room for more', async () => {
    const { info } = await startTestDaemon()
    const page = await newPage()
    await page.setViewportSize({ width: 390, height: 844 })
    await openWorkspace(page, { info })
    await sees(page, 'No session yet')
    expect(await page.getByRole('tab').count()).toBe(0)
    await page.getByRole('combobox', { name: 'Shown block' }).selectOption('daemon')
    await sees(page, 'Memory and disk')
    expect(await violations(page)).toEqual([])
    await page.setViewportSize({ width: 1_200, height: 800 })
    await tab(page, 'Daemon').waitFor()
  })

  it('reads frames upwards from the end', async () => {
    const { info, peer } = await startTestDaemon()
    const control = await peer()
    const create = { cwd: tempDir(), title: 'many' }
    const { run, session } = await control.call<{ run: string; session: string }>('run.start', {
      create,
      prompt: 'sim:flood frames=3000',
    })
    await control.call('run.wait', { run })
    const { head } = await control.call<{ head: number }>('topic.read', {
      topic: `session/${session}/frames`,
      after: 0,
    })
    const page = await newPage()
    await openWorkspace(page, { info })
    await page.getByRole('option', { name: /many/ }).click()
    await page.keyboard.press('Alt+f')
    const list = page.getByRole('listbox', { name: /Frames/ })
    await list.getByText(String(head), { exact: true }).waitFor()
    expect(await list.getByRole('option').count()).toBeLessThan(100)
    await until(async () => {
      await list.evaluate(element => (element.scrollTop = 0))
      await list.getByText('1', { exact: true }).waitFor({ timeout: 50 })
    })
    expect(await violations(page)).toEqual([])
  })
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}
