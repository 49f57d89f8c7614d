import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { connectForTest } from '../client/harness.ts'
import { describeWithPages } from '../client/chromium.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { isShown, openSession, openWorkspace, saidIn, sees, seesRunning, tab, words } from './page.ts'

const tabsOf = (page: Page) => page.getByRole('tab').allInnerTexts()

describeWithPages('several windows', newPage => {
  it('show a run like a script does, and who cancelled it', async () => {
    const { home, info } = await startTestDaemon({ env: { MUXD_SIMULATOR_SPEED: '1' } })
    const script = await connectForTest({ home, client: { name: 'script', version: '1' } })
    const prompt = 'sim:long words=4000 delayMs=10'
    const run = await script.run({ prompt, cwd: tempDir(), title: 'for all' })
    let heard = ''
    const listening = (async () => {
      for await (const event of run.events()) {
        if (event.type === 'assistant_text') heard += event.delta
        if (event.type === 'cancelled') return event
      }
      return undefined
    })()
    const [one, two] = [await newPage({ apart: true }), await newPage({ apart: true })]
    for (const page of [one, two]) {
      await page.setViewportSize({ width: 1_400, height: 2_400 })
      await openWorkspace(page, { info })
    }
    await openSession(one, /for all/)
    // A session that opens in one window opens in the other, behind the tab in front.
    await tab(two, /for all/).click()
    await isShown(two, /for all/)
    for (const page of [one, two]) await until(async () => expect((await saidIn(page)).length).toBeGreaterThan(50))
    await two.getByRole('button', { name: 'Cancel', exact: true }).click()
    for (const page of [one, two]) await sees(page, 'Cancelled by Chrome on Linux')
    expect(await listening).toMatchObject({ by: { name: 'Chrome on Linux' } })
    expect(words(heard).length).toBeGreaterThan(50)
    for (const page of [one, two]) expect(await saidIn(page)).toEqual(words(heard))
    // The other direction: the script cancels and both windows show it.
    const next = await script.run({ session: run.session, prompt })
    for (const page of [one, two]) await seesRunning(page)
    await next.cancel('enough')
    for (const page of [one, two]) await sees(page, 'Cancelled by script: enough')
  })

  it('share the layout of their workspace, also after a reload', async () => {
    const { info } = await startTestDaemon()
    const [one, two, elsewhere] = [await newPage(), await newPage({ apart: true }), await newPage()]
    await openWorkspace(one, { info })
    await openWorkspace(two, { info })
    await openWorkspace(elsewhere, { info, workspace: 'other' })
    for (const page of [one, two, elsewhere]) await sees(page, 'No session yet')
    // A window in the background draws nothing, but still follows.
    await one.bringToFront()
    await two.bringToFront()
    await tab(two, 'Usage').click()
    await two.keyboard.press('Alt+Backslash')
    await until(async () => expect(await one.getByRole('tablist').count()).toBe(3))
    // Both at once: the last writer's layout is in both windows.
    await Promise.all([one.keyboard.press('Alt+d'), two.keyboard.press('Alt+w')])
    await until(async () => expect(await tabsOf(two)).toEqual(await tabsOf(one)))
    expect(await tabsOf(elsewhere)).toEqual(['Sessions', 'Approvals', 'Usage', 'Daemon'])
    await one.reload()
    await until(async () => expect(await tabsOf(one)).toEqual(await tabsOf(two)))
  })

  it('follow a tab that is dragged, closed or moved, but not a maximised pane', async () => {
    const { info } = await startTestDaemon()
    const [one, two] = [await newPage({ apart: true }), await newPage({ apart: true })]
    for (const page of [one, two]) {
      await page.setViewportSize({ width: 1_200, height: 800 })
      await openWorkspace(page, { info })
      await tab(page, 'Daemon').waitFor()
    }
    // Drag the tab into the lower half of its own pane.
    const pane = (await one.getByRole('group', { name: 'Approvals' }).boundingBox())!
    const from = (await tab(one, 'Usage').boundingBox())!
    await one.mouse.move(from.x + 20, from.y + 10)
    await one.mouse.down()
    await one.mouse.move(pane.x + pane.width / 2, pane.y + pane.height / 2, { steps: 10 })
    await one.mouse.move(pane.x + pane.width / 2, pane.y + pane.height - 30, { steps: 10 })
    await one.mouse.up()
    for (const page of [one, two]) {
      await until(async () => {
        const [above, below] = [await tab(page, 'Approvals').boundingBox(), await tab(page, 'Usage').boundingBox()]
        expect(below!.y).toBeGreaterThan(above!.y + 200)
      })
    }
    // Move it back to the other tabs by keyboard.
    await tab(two, 'Usage').click()
    await two.keyboard.press('Alt+Shift+ArrowUp')
    await until(async () => expect(await one.getByRole('tablist').count()).toBe(2))
    await tab(one, 'Daemon').click({ button: 'middle' })
    await until(async () => expect(await tabsOf(two)).toEqual(['Sessions', 'Approvals', 'Usage']))
    await two.getByRole('button', { name: 'Maximise the pane' }).last().click()
    const widthIn = async (page: Page) => (await page.getByRole('tabpanel').last().boundingBox())!.width
    await until(async () => expect(await widthIn(two)).toBe(1_200))
    await tab(one, 'Approvals').click()
    expect(await widthIn(one)).toBeLessThan(1_000)
  })
})
