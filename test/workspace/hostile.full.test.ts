import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { describeWithPages } from '../client/chromium.ts'
import { connectForTest } from '../client/harness.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { openSession, openWorkspace, sees } from './page.ts'

/** No white space, so that the simulator takes it as one option. */
const tight = `<img/src=x/onerror=document.title='pwned'><script>document.title='pwned'</script><svg/onload=alert(1)>`
const evil = `${tight} <b onclick=x>b</b> [x](javascript:alert(1)) ![y](http://evil.invalid/y.png) <a href="data:text/html,x">c</a>`

/** Expects that hostile text is shown as text only. A request to another host fails the test at its end. */
async function expectInert(page: Page): Promise<void> {
  const elements =
    'img, script:not([src]), svg[onload], iframe, [onclick], [onerror], [href^="javascript:"], [href^="data:text"]'
  expect(await page.locator(`body :is(${elements})`).count()).toBe(0)
  expect(await page.title()).toMatch(/^(\(\d+\) )?muxd$/)
}

describeWithPages('hostile text', newPage => {
  it('runs no script as title, label, prompt, answer, frame or layout', async () => {
    const { home, info } = await startTestDaemon()
    const script = await connectForTest({ home, client: { name: evil.slice(0, 100), version: '1' } })
    const page = await newPage()
    await openWorkspace(page, { info })
    await sees(page, 'No session yet')
    const labels = { '<b onclick=x>': evil }
    const run = await script.run({ prompt: `sim:text ${evil}`, cwd: tempDir(), title: evil, labels })
    await run.result()
    await openSession(page, /onerror/)
    await page.locator('.said').getByText('javascript:alert(1)').waitFor()
    await expectInert(page)
    await page.keyboard.press('Alt+f')
    const frames = page.getByRole('listbox', { name: /Frames/ })
    await frames.getByRole('option').last().click()
    await page.getByRole('complementary', { name: /Frame/ }).waitFor()
    await page.keyboard.press('Control+k')
    await page.keyboard.type('onerror')
    await page.getByRole('dialog').getByRole('option').first().waitFor()
    await expectInert(page)
    // A hostile layout that another client stored does no harm either.
    const { session } = run
    const layout = { version: 1, root: { share: 1, tabs: [`session/${session}`, evil, 'session/<img>'], shown: evil } }
    await script.api.workspace.save({ workspace: 'main', layout })
    await page.keyboard.press('Escape')
    await until(async () => expect(await page.getByRole('tab').count()).toBe(1))
    await expectInert(page)
  })

  it('runs no script as an approval in inbox, pane and palette, or as a denial message', async () => {
    const { home, info } = await startTestDaemon()
    const script = await connectForTest({ home })
    const page = await newPage()
    await page.setViewportSize({ width: 1_500, height: 1_200 })
    await openWorkspace(page, { info })
    const prompts = [
      `sim:permission file=${tight}`,
      `sim:permission command=${tight}`,
      `sim:question options=${tight},other ${evil}`,
    ]
    for (const [index, prompt] of prompts.entries())
      await script.run({ prompt, cwd: tempDir(), title: `asks ${index}` })
    await until(async () => expect(await page.getByRole('article').count()).toBe(3))
    for (const text of await page.locator('.card').allTextContents()) expect(text).toContain('onerror=')
    await expectInert(page)
    for (const [index] of prompts.entries()) {
      await openSession(page, `asks ${index}`)
      await page.locator('.conversation').last().locator('.answering').waitFor()
      await expectInert(page)
    }
    await page.keyboard.press('Control+k')
    await page.keyboard.type('allow')
    await page
      .getByRole('option', { name: /^Approvals ?Allow.*onerror/ })
      .first()
      .waitFor()
    await expectInert(page)
    await page.keyboard.press('Escape')
    const { approvals } = await script.api.approval.list({})
    for (const { approval } of approvals)
      await script.api.approval.answer({ approval, decision: 'deny', message: evil })
    await page.locator('.conversation').getByText('Denied by').filter({ hasText: 'javascript:' }).waitFor()
    await expectInert(page)
  })

  it('runs no script as tool output or file name, and links open in a tab of their own', async () => {
    const inJson = JSON.stringify(evil).slice(1, -1)
    const recorded = readFileSync(new URL('../fixtures/recordings/bash.raw', import.meta.url), 'utf8')
    const recording = join(tempDir(), 'evil.raw')
    const changed = recorded
      .replaceAll('"name":"Bash"', '"name":"Edit"')
      .replaceAll(
        '"command":"echo hello-from-bash"',
        `"file_path":"${inJson}","old_string":"a","new_string":"${inJson}"`,
      )
      .replaceAll('"hello-from-bash"', `"${inJson}"`)
      .replaceAll('The command has finished.', `[out](https://example.invalid/?a=1&b=2) ${inJson}`)
    expect(changed.split(inJson).length).toBeGreaterThan(5)
    writeFileSync(recording, changed)
    const { home, info } = await startTestDaemon()
    const script = await connectForTest({ home })
    const run = await script.run({
      prompt: `sim:replay speed=0 recording=${recording}`,
      cwd: tempDir(),
      title: 'tools',
    })
    await run.wait()
    const page = await newPage()
    await openWorkspace(page, { info })
    await openSession(page, /tools/)
    await page.locator('.end').waitFor()
    for (const fold of await page.locator('[aria-expanded="false"]').all()) await fold.click()
    await page.locator('.tool').getByText('onerror=').first().waitFor()
    await expectInert(page)
    const links = await page
      .locator('.conversation a')
      .evaluateAll(found => found.map(link => ['href', 'target', 'rel'].map(name => link.getAttribute(name))))
    expect(links).toEqual([
      ['https://example.invalid/?a=1&b=2', '_blank', 'noopener noreferrer'],
      ['http://evil.invalid/y.png', '_blank', 'noopener noreferrer'],
    ])
  })
})
