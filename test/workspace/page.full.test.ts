import { expect, it } from 'vitest'
import { describeWithPages } from '../client/chromium.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'
import { linkTo, openWorkspace, originOf, sees, tab, violations, watchForFaults } from './page.ts'

describeWithPages('the workspace page', newPage => {
  it('accepts a link once, removes its code from the URL, and stays logged in over a reload', async () => {
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

  it('starts with an example to click, and says that the simulator answers', async () => {
    const { info } = await startTestDaemon()
    const page = await newPage()
    await openWorkspace(page, { info })
    await sees(page, 'Simulator')
    await page.getByRole('button', { name: 'sim:tools' }).click()
    const dialog = page.getByRole('dialog', { name: 'New session' })
    expect(await dialog.getByRole('textbox', { name: 'Prompt' }).inputValue()).toBe('sim:tools')
    await dialog.getByRole('combobox', { name: 'Directory' }).fill('/nowhere/at/all')
    await dialog.getByRole('button', { name: 'Start' }).click()
    await dialog.getByRole('alert').waitFor()
    await dialog.getByRole('combobox', { name: 'Directory' }).fill(tempDir())
    await dialog.getByRole('button', { name: 'Start' }).click()
    await page.locator('.end[data-end="done"]').waitFor()
    await page.getByRole('option', { name: /done, \S*muxd-test/ }).waitFor()
  })

  it('shows one block at a time in a narrow window', async () => {
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
})
