import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { describeWithPages } from '../client/chromium.ts'
import { connectForTest } from '../client/harness.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'
import { openSession, openWorkspace, tab, violations } from './page.ts'

/** Opens a page on a daemon with work of every kind: ended runs, a live run, a queued run, and pending approvals. */
async function amidWork(page: Page) {
  const { home, info } = await startTestDaemon()
  const script = await connectForTest({ home, client: { name: 'script', version: '1' } })
  const { session, result } = await script.run({ prompt: 'sim:tools', cwd: tempDir(), title: 'tools' })
  await result()
  await (await script.run({ session, prompt: 'sim:subagent' })).result()
  await (await script.run({ session, prompt: 'sim:fail kind=auth' })).wait()
  await script.run({ session, prompt: 'sim:permission command=ls' })
  await script.run({ prompt: 'sim:question', cwd: tempDir(), title: 'a question' })
  const going = await script.run({ prompt: 'sim:hang at=text', cwd: tempDir(), title: 'goes on' })
  await script.api.run.start({ session: going.session, prompt: 'sim:text waits' })
  await openWorkspace(page, { info })
  await page.getByRole('button', { name: 'Approvals, 2 waiting' }).waitFor()
}

const themes = ['light', 'dark'] as const

describeWithPages('accessibility', newPage => {
  it.each(themes)('no block or dialog has axe violations (%s theme)', { timeout: 240_000 }, async colorScheme => {
    const page = await newPage()
    await page.setViewportSize({ width: 1_400, height: 1_000 })
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await amidWork(page)
    const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    expect(ground).toBe({ light: 'rgb(244, 244, 242)', dark: 'rgb(15, 16, 18)' }[colorScheme])
    const expectFine = async (what: string) => expect(await violations(page), what).toEqual([])
    await expectFine('sessions and the inbox')
    for (const title of ['tools', 'a question', 'goes on']) {
      await openSession(page, new RegExp(`${title} `))
      await page.locator('.conversation .entry').last().waitFor()
      await expectFine(`the session “${title}”`)
    }
    await page.keyboard.press('Control+f')
    await page.getByRole('search').waitFor()
    await expectFine('a search')
    await page.keyboard.press('Alt+f')
    await page
      .getByRole('listbox', { name: /Frames/ })
      .getByRole('option')
      .last()
      .click()
    await expectFine('frames')
    for (const name of ['Usage', 'Daemon']) {
      await tab(page, name).click()
      await page.getByRole('group', { name }).getByRole('table').waitFor()
      await expectFine(name)
    }
    const overlays: [keys: string, dialog: string][] = [
      ['Control+k', 'Command palette'],
      ['?', 'Keyboard'],
      ['Alt+n', 'New session'],
    ]
    for (const [keys, dialog] of overlays) {
      await page.keyboard.press(keys)
      await page.getByRole('dialog', { name: dialog }).waitFor()
      await expectFine(dialog)
      await page.keyboard.press('Escape')
    }
    await openSession(page, /goes on /)
    await page.keyboard.press('Alt+Period')
    await page.getByRole('dialog', { name: 'Cancel the run' }).waitFor()
    await expectFine('the question whether to cancel')
  })

  it('no block has axe violations or sideways scrolling on a phone', { timeout: 240_000 }, async () => {
    const page = await newPage()
    await page.setViewportSize({ width: 390, height: 844 })
    await amidWork(page)
    const shown = page.getByRole('combobox', { name: 'Shown block' })
    const expectFine = async (what: string) => {
      expect(await violations(page), what).toEqual([])
      // Nothing is cut off at the side, and nothing needs scrolling sideways.
      expect(await page.evaluate(() => document.documentElement.scrollWidth), what).toBe(390)
    }
    for (const name of ['Sessions', 'Approvals', 'Usage', 'Daemon']) {
      await shown.selectOption(name)
      await page.getByRole('group', { name, exact: true }).waitFor()
      await expectFine(name)
    }
    await shown.selectOption('Sessions')
    await openSession(page, /tools /)
    await page.locator('.answering').waitFor()
    await expectFine('a session')
    await page.getByRole('button', { name: 'New', exact: true }).click()
    await expectFine('a new session')
  })
})
