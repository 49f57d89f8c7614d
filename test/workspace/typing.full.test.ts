import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import type { Approval, Run, Session } from '../../protocol/index.ts'
import { describeWithPages } from '../client/chromium.ts'
import { create, open, start } from '../support/conversations.ts'
import type { RpcPeer } from '../support/rpc-peer.ts'
import { until } from '../support/until.ts'
import { holdConnections, isShown, openSession, openWorkspace, sees, tab } from './page.ts'

const prompt = (page: Page) => page.getByRole('textbox', { name: 'Prompt' })
const promptsOf = async (peer: RpcPeer, { session }: Session) =>
  (await peer.call<{ runs: Run[] }>('run.list', { session })).runs.map(run => run.prompt).reverse()
const pendingOf = async (peer: RpcPeer) =>
  (await peer.call<{ approvals: Approval[] }>('approval.list', { state: 'pending' })).approvals

describeWithPages('keyboard input', newPage => {
  it('answers no approval while a modifier key is held or its card has no focus', async () => {
    const [daemon, peer] = await open()
    for (const title of ['one', 'two']) await start(peer, await create(peer, { title }), 'sim:permission')
    const page = await newPage()
    await openWorkspace(page, daemon)
    const cards = page.getByRole('list', { name: 'Questions' }).getByRole('article')
    await until(async () => expect(await cards.count()).toBe(2))
    await cards.nth(1).focus()
    await page.keyboard.press('Control+k')
    const palette = page.getByRole('combobox', { name: 'Command' })
    await palette.waitFor()
    await page.keyboard.type('ad')
    expect(await palette.inputValue()).toBe('ad')
    await page.keyboard.press('Escape')
    for (const keys of ['Control+a', 'Alt+Shift+a', 'Shift+a', 'Meta+d', 'Control+d'])
      await cards.nth(1).press(keys, { noWaitAfter: true })
    expect(await pendingOf(peer)).toHaveLength(2)

    await tab(page, 'Approvals').click()
    await cards.first().focus()
    await page.keyboard.press('d')
    await until(async () => expect(await cards.count()).toBe(1))
    // The next letters must answer nothing: the focus is on the list, not on a card.
    await until(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label') === 'Approvals'))
    await page.keyboard.type('aadd')
    expect(await pendingOf(peer)).toHaveLength(1)
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('a')
    await until(async () => expect(await pendingOf(peer)).toEqual([]))
  })

  it('is kept while earlier prompts wait to be sent, which show their state and can be taken back', async () => {
    const [daemon, peer] = await open()
    const session = await create(peer, { title: 'types' })
    const page = await newPage()
    const hold = await holdConnections(page)
    await openWorkspace(page, daemon)
    await openSession(page, 'types')
    await prompt(page).waitFor()
    const connect = await hold()
    await sees(page, 'Reconnecting')
    for (const text of ['sim:text one', 'sim:text two']) {
      await prompt(page).fill(text)
      await page.keyboard.press('Enter')
    }
    await page.keyboard.type('a thought')
    const list = page.getByRole('list', { name: 'Prompts being sent' })
    await until(async () => expect(await list.getByText('waiting to be sent').count()).toBe(2))
    await list.getByRole('button', { name: 'Take back' }).last().click()
    expect(await prompt(page).inputValue()).toBe('sim:text two\n\na thought')
    connect()
    await page.locator('.end[data-end="done"]').waitFor()
    await until(async () => expect(await list.count()).toBe(0))
    expect(await promptsOf(peer, session)).toEqual(['sim:text one'])
    expect(await prompt(page).inputValue()).toBe('sim:text two\n\na thought')
  })

  it('is kept as a draft when a dialog is closed', async () => {
    const [daemon, peer] = await open()
    await start(peer, await create(peer, { title: 'asks' }), 'sim:permission')
    const page = await newPage()
    await openWorkspace(page, daemon)
    await tab(page, 'Usage').waitFor()
    const dialog = page.getByRole('dialog', { name: 'New session' })
    await page.keyboard.press('Alt+n')
    await dialog.getByLabel('Prompt').fill('a long thought')
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'hidden' })
    await page.keyboard.press('Alt+n')
    expect(await dialog.getByLabel('Prompt').inputValue()).toBe('a long thought')
    await page.mouse.click(5, 400)
    await dialog.waitFor({ state: 'hidden' })
    await page.keyboard.press('Alt+n')
    expect(await dialog.getByLabel('Prompt').inputValue()).toBe('a long thought')
    await page.keyboard.press('Escape')

    const why = page.getByRole('textbox', { name: 'Why not' })
    await why.fill('because')
    await tab(page, 'Usage').click()
    await isShown(page, 'Usage')
    await tab(page, 'Approvals').click()
    expect(await why.inputValue()).toBe('because')
  })

  it('goes at once to the search or list that a shortcut opens', async () => {
    const [daemon, peer] = await open()
    await create(peer, { title: 'finds' })
    const page = await newPage()
    await openWorkspace(page, daemon)
    await openSession(page, 'finds')
    await prompt(page).focus()
    // All keys come in one turn of the page, before anything is painted.
    const focused = await page.evaluate(async () => {
      const press = (init: KeyboardEventInit) =>
        document.activeElement!.dispatchEvent(
          new KeyboardEvent('keydown', { bubbles: true, cancelable: true, ...init }),
        )
      press({ key: 'f', code: 'KeyF', ctrlKey: true })
      for (let turns = 0; turns < 20; turns++) await Promise.resolve()
      const search = document.activeElement!.getAttribute('aria-label')
      press({ key: 's', code: 'KeyS', altKey: true })
      for (let turns = 0; turns < 20; turns++) await Promise.resolve()
      return [search, document.activeElement!.getAttribute('type')]
    })
    expect(focused).toEqual(['Search in this conversation', 'search'])
  })

  it('cancels only the intended run with Escape, and warns before it cancels the next one', async () => {
    const [daemon, peer] = await open()
    const session = await create(peer, { title: 'queues' })
    await start(peer, session, 'sim:hang at=text')
    await start(peer, session, 'sim:hang at=text second')
    const page = await newPage()
    await openWorkspace(page, daemon)
    await openSession(page, 'queues')
    await page.getByRole('list', { name: 'Queued prompts' }).waitFor()
    await prompt(page).focus()
    await page.keyboard.press('Escape')
    await page.locator('.end[data-end="cancelled"]').waitFor()
    await until(async () => expect(await page.getByRole('list', { name: 'Queued prompts' }).count()).toBe(0))
    await page.locator('.run-status-bar').getByText('Running').waitFor()
    await page.keyboard.press('Escape')
    await sees(page, 'Esc again cancels this one')
    const second = (await peer.call<{ runs: Run[] }>('run.list', { session: session.session })).runs[0]!
    expect(second.state).toBe('running')
    await page.keyboard.press('Escape')
    await until(async () => expect(await page.locator('.end[data-end="cancelled"]').count()).toBe(2))
  })

  it('continues in place while another window changes the layout', async () => {
    const [daemon, peer] = await open()
    for (const title of ['mine', 'theirs']) await create(peer, { title })
    const [one, two] = [await newPage(), await newPage({ apart: true })]
    for (const page of [one, two]) {
      await page.setViewportSize({ width: 1_200, height: 800 })
      await openWorkspace(page, daemon)
    }
    await openSession(one, 'mine')
    await prompt(one).fill('half a ')
    await openSession(two, 'theirs')
    await tab(one, 'theirs').waitFor()
    await isShown(one, 'mine')
    await one.keyboard.type('word')
    expect(await prompt(one).inputValue()).toBe('half a word')
    // After a reload each window still has its own tab in front.
    await one.reload()
    await isShown(one, 'mine')
    await isShown(two, 'theirs')
    await two.reload()
    await isShown(two, 'theirs')
  })
})
