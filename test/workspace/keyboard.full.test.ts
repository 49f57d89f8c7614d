import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import type { Workspace } from '../../protocol/index.ts'
import { describeWithPages } from '../client/chromium.ts'
import { connectForTest } from '../client/harness.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { isShown, openWorkspace, sees, seesRunning, tab, violations } from './page.ts'

const focused = (page: Page) => page.locator(':focus')
const isFocused = (page: Page, name: string) =>
  until(async () => expect(await page.getByLabel(name, { exact: true }).and(focused(page)).count()).toBe(1))

/** Whether the focus is visible: by the outline of the element, or by the shadow of the prompt box around it. */
const isSeen = (page: Page) =>
  page.evaluate(() => {
    const element = document.activeElement!
    const box = element.closest('.prompt-box')
    const { outlineStyle, outlineWidth } = getComputedStyle(element)
    return box ? getComputedStyle(box).boxShadow !== 'none' : outlineStyle !== 'none' && outlineWidth !== '0px'
  })

describeWithPages('the keyboard alone', newPage => {
  it('starts a run, answers an approval, cancels at each strength and closes, with visible focus', async () => {
    const { home, info } = await startTestDaemon({ env: { MUXD_SIMULATOR_SPEED: '1' } })
    const script = await connectForTest({ home })
    const page = await newPage()
    await page.setViewportSize({ width: 1_400, height: 900 })
    await openWorkspace(page, { info })
    await sees(page, 'No session yet')
    const passed: string[] = []
    for (let tabs = 0; tabs < 12; tabs++) {
      await page.keyboard.press('Tab')
      expect(await isSeen(page), await focused(page).evaluate(element => element.outerHTML.slice(0, 200))).toBe(true)
      passed.push((await focused(page).textContent())!.trim())
    }
    expect(passed).toEqual(expect.arrayContaining(['New session', 'Sessions', 'sim:tools']))

    await page.keyboard.press('Alt+n')
    await page.getByRole('dialog', { name: 'New session' }).waitFor()
    await page.keyboard.type('sim:permission')
    await page.keyboard.press('Tab')
    await page.keyboard.type(tempDir())
    await page.keyboard.press('Control+Enter')
    await isFocused(page, 'Prompt')
    expect(await isSeen(page)).toBe(true)
    await page.getByRole('button', { name: 'Allow' }).waitFor()

    await page.keyboard.press('Alt+a')
    await isShown(page, 'Approvals')
    await page.keyboard.press('ArrowDown')
    await until(async () => expect(await page.locator('.card:focus').count()).toBe(1))
    expect(await isSeen(page)).toBe(true)
    await page.keyboard.press('a')
    await sees(page, 'Nothing waits for an answer')
    const [session] = (await script.api.session.list({})).sessions
    const run = script.attach(session!.lastRun!)
    expect((await run.wait()).state).toBe('done')

    // Go to the session, which is the last of the open blocks.
    await page.keyboard.press('Alt+5')
    await isFocused(page, 'Prompt')
    await page.keyboard.type('sim:hang at=text ignore=interrupt,int,term,hup')
    await page.keyboard.press('Enter')
    await seesRunning(page)
    for (const [keys, says] of [
      ['Escape', 'Interrupting'],
      ['Escape', 'Ending the process'],
      ['Shift+Escape', 'Cancelled by Chrome on Linux'],
    ] as const) {
      await page.keyboard.press(keys)
      await sees(page, says)
    }
    const asked = await page.locator('.line.warning').allTextContents()
    expect(asked).toEqual(
      expect.arrayContaining(
        ['to cancel', 'to end the process', 'to kill the process'].map(how => `Chrome on Linux asked ${how}`),
      ),
    )

    await page.keyboard.press('Alt+ArrowLeft')
    await until(async () => expect(await page.getByRole('searchbox').and(focused(page)).count()).toBe(1))
    expect(await isSeen(page)).toBe(true)
    await page.keyboard.press('Alt+ArrowRight')
    await isFocused(page, 'Prompt')
    for (let open = await page.getByRole('tab').count(); open > 0; open--) {
      await page.keyboard.press('Alt+w')
      await until(async () => expect(await page.getByRole('tab').count()).toBe(open - 1))
    }
    await sees(page, 'Nothing is open.')
    await page.keyboard.press('Alt+s')
    await isShown(page, 'Sessions')
  })

  it('starts a session, finds commands and moves panes, and the layout keeps the moves', async () => {
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
    // In a text field, `?` is a character.
    await until(async () => expect(await page.getByRole('searchbox').inputValue()).toBe('?'))
    await page.keyboard.press('Backspace')
    await page.keyboard.press('Control+k')
    await page.keyboard.type('keyboard')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog', { name: 'Keyboard' }).waitFor()
    expect(await violations(page)).toEqual([])
    await page.keyboard.press('Escape')
    // The focus is back where it was before the dialog.
    await until(async () => expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('INPUT'))
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await until(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label') === 'Prompt'))
  })

  it('has the keys that docs/workspace.md lists', async () => {
    const { home, info } = await startTestDaemon()
    const script = await connectForTest({ home })
    const { session } = await script.run({ prompt: 'sim:text', cwd: tempDir() })
    const layout = { version: 1, root: { share: 1, tabs: [`session/${session}`], shown: `session/${session}` } }
    await script.api.workspace.save({ workspace: 'main', layout })
    const page = await newPage()
    await openWorkspace(page, { info })
    await page.getByRole('tab').click()
    await page.getByRole('button', { name: 'Keyboard' }).click()
    const shown = await page
      .locator('.keys > div')
      .evaluateAll(rows => rows.map(row => [...row.children].map(cell => cell.textContent)))
    const docs = readFileSync(new URL('../../docs/workspace.md', import.meta.url), 'utf8')
    const told = [...docs.matchAll(/^\| (`.+`) +\| (.+?) +\|$/gm)].map(([, keys, what]) => [
      keys!.replaceAll('`', ''),
      what,
    ])
    expect(told).toEqual(shown)
  })
})
