import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { connect, type Mux } from '../../../client/sdk/index.ts'
import { onTestFinished } from 'vitest'
import type { TestDaemon } from '../../support/daemon.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { until } from '../../support/until.ts'
import { describeWithPages } from '../../client/chromium.ts'
import { startPanes } from './open-panes.ts'

async function client({ info }: TestDaemon, name = 'script'): Promise<Mux> {
  const mux = await connect({ url: info.url, token: info.token, client: { name, version: '0' } })
  onTestFinished(() => mux.close())
  return mux
}

describeWithPages('the pane of a session', newPage => {
  it('shows text, thinking, tools and sub-agents, and how each run ended', async () => {
    const { daemon, show } = await startPanes()
    const mux = await client(daemon, 'Ann')
    const { session, result } = await mux.run({ prompt: 'sim:tools', cwd: tempDir() })
    await result()
    for (const prompt of ['sim:subagent', 'sim:midstream']) await (await mux.run({ session, prompt })).result()
    await (await mux.run({ session, prompt: 'sim:fail kind=auth' })).wait()
    const page = await newPage()
    await show(page, { sessions: [session] })
    await page.setViewportSize({ width: 900, height: 2_400 })
    await page.locator('.end[data-end="failed"]').waitFor()
    expect(await page.locator('.prompt:not(.inner) .who').allTextContents()).toEqual(['Ann', 'Ann', 'Ann', 'Ann'])
    expect(await page.locator('.entry[data-depth="0"] > .tool .name').allTextContents()).toEqual(
      expect.arrayContaining(['Read', 'Bash', 'Agent']),
    )
    expect(await page.locator('.tool[data-state="failed"] .output').first().textContent()).toContain('Exit code 1')
    expect(await page.locator('.entry[data-depth="1"] > .tool .name').allTextContents()).toEqual(['Bash', 'Bash'])
    const text = (await page.locator('.rows').textContent())!
    expect(text).toContain('Recovered after a broken stream')
    expect(text).not.toContain('will be withdrawn')
    expect(await page.locator('.end').count()).toBe(4)
  })

  it('shows a stream as it arrives, also after a reload, and removes withdrawn text', async () => {
    const { daemon, show } = await startPanes({ env: { MUXD_SIMULATOR_SPEED: '1' } })
    const mux = await client(daemon)
    const run = await mux.run({ prompt: 'sim:long words=120 delayMs=10', cwd: tempDir() })
    const page = await newPage()
    await show(page, { sessions: [run.session] })
    await page.locator('.said').first().waitFor()
    await page.reload()
    await page.locator('.said').first().waitFor()
    const { response } = await run.result()
    await page.locator('.end').waitFor()
    const shown = (await page.locator('.said').allTextContents()).join(' ')
    expect(words(shown)).toEqual(words(response))
    await mux.run({ session: run.session, prompt: 'sim:midstream delayMs=600' })
    await page.getByText('will be').waitFor()
    await page.getByText('Recovered after a broken stream').waitFor()
    expect(await page.getByText('will be').count()).toBe(0)
  })

  it('runs no script and loads nothing, whatever texts, outputs and file names contain', async () => {
    const evil = `<img src=x onerror=alert(1)><script>alert(2)</script>[a](javascript:alert(3)) ![b](http://evil.invalid/x.png)<a href="data:text/html,x" style="position:fixed" onclick=alert(4)>c</a>`
    const inJson = JSON.stringify(evil).slice(1, -1)
    const recording = join(tempDir(), 'evil.raw')
    const recorded = readFileSync(new URL('../../fixtures/recordings/bash.raw', import.meta.url), 'utf8')
    const changed = recorded
      .replaceAll('"name":"Bash"', '"name":"Write"')
      .replaceAll('"command":"echo hello-from-bash"', `"file_path":"${inJson}","content":"${inJson}"`)
      .replaceAll('"hello-from-bash"', `"${inJson}"`)
      .replaceAll('The command has finished.', inJson)
    expect(changed.split(inJson).length).toBeGreaterThan(4)
    writeFileSync(recording, changed)
    const { daemon, show } = await startPanes()
    const mux = await client(daemon, evil.slice(0, 100))
    const run = await mux.run({
      prompt: `sim:replay speed=0 recording=${recording} ${evil}`,
      cwd: tempDir(),
      title: evil,
    })
    await run.wait()
    const page = await newPage()
    const dialogs: string[] = []
    page.on('dialog', dialog => {
      dialogs.push(dialog.message())
      void dialog.dismiss()
    })
    await show(page, { sessions: [run.session] })
    await page.locator('.end').waitFor()
    for (const fold of await page.locator('[aria-expanded="false"]').all()) await fold.click()
    expect(await page.locator('.said').last().textContent()).toContain('<img src=x onerror=alert(1)>')
    const found = await page.evaluate(() =>
      [
        ...document.querySelectorAll('#workspace img, #workspace script, #workspace [style*="fixed"], #workspace a'),
      ].map(element => `${element.tagName} ${element.getAttribute('href')}`),
    )
    expect(found).toEqual(['A http://evil.invalid/x.png'])
    expect(await page.locator('a').getAttribute('rel')).toBe('noopener noreferrer')
    expect(dialogs).toEqual([])
  })

  it('sends, queues and cancels prompts, more strongly each time, and shows who did it', async () => {
    const { daemon, show } = await startPanes({ env: { MUXD_SIMULATOR_SPEED: '1' } })
    const mux = await client(daemon)
    const { session, result } = await mux.run({ prompt: 'sim:text one', cwd: tempDir() })
    await result()
    const page = await newPage()
    await show(page, { sessions: [session] })
    const prompt = page.getByRole('textbox', { name: 'Prompt' })
    await prompt.fill('/cl')
    await page.getByRole('option', { name: '/clear' }).waitFor()
    await prompt.press('Tab')
    expect(await prompt.inputValue()).toBe('/clear ')
    await prompt.fill('sim:hang at=text ignore=interrupt,int')
    await prompt.press('Enter')
    await page.getByText('Running').waitFor()
    await prompt.fill('sim:text two')
    await prompt.press('Enter')
    await page.locator('.queue li').getByText('sim:text two').waitFor()
    await prompt.press('ArrowUp')
    expect(await prompt.inputValue()).toBe('sim:hang at=text ignore=interrupt,int')
    await page.locator('.queue button').last().click()
    await until(async () => expect(await page.locator('.queue li').count()).toBe(0))
    await prompt.press('Escape')
    await page.getByText('Esc again ends its process').waitFor()
    await prompt.press('Escape')
    await page.getByText('Cancelled by workspace').nth(1).waitFor()
    const asked = await page.locator('.line.warning').allTextContents()
    expect(asked).toEqual(expect.arrayContaining(['workspace asked to cancel', 'workspace asked to end the process']))
  })

  it('opens a long session at its end, draws only visible rows, and scrolls up in place', async () => {
    const { daemon, show } = await startPanes()
    const mux = await client(daemon)
    const run = await mux.run({ prompt: 'sim:loop rounds=130 takesMs=1', cwd: tempDir() })
    await run.result()
    const { session } = run
    const { lastSeq } = await run.info()
    expect(lastSeq).toBeGreaterThan(900)
    const page = await newPage()
    await show(page, { sessions: [session] })
    await page.locator('.end').waitFor()
    expect(await page.locator('.entry').count()).toBeLessThan(100)
    const scroller = page.getByRole('region', { name: 'Messages' })
    const atTop = () => page.locator('.prompt-text').getByText('sim:loop').count()
    await until(
      async () => {
        const before = await place()
        await scroller.evaluate(element => element.scrollBy(0, -400))
        // Wait until the rows are drawn and measured, and perhaps more of the log is loaded above them.
        await page.evaluate(() => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve))))
        const after = await place(before.key)
        if (after.top !== undefined) expect(Math.abs(after.top - before.top! - 400)).toBeLessThan(60)
        expect(await atTop()).toBe(1)
      },
      { interval: 0, timeout: 60_000 },
    )
    await page.getByRole('button', { name: 'Latest' }).click()
    await page.locator('.end').waitFor()

    /** Returns the key and the top of the first visible row, or of the row with the given key. */
    function place(key?: string): Promise<{ key: string; top: number | undefined }> {
      return scroller.evaluate((element, wanted) => {
        const { top } = element.getBoundingClientRect()
        const rows = [...element.querySelectorAll<HTMLElement>('.entry')]
        const row = rows.find(each =>
          wanted ? each.dataset['key'] === wanted : each.getBoundingClientRect().top >= top,
        )
        return { key: row?.dataset['key'] ?? '', top: row && row.getBoundingClientRect().top }
      }, key)
    }
  })

  it('finds words, also in older messages once they are loaded', async () => {
    const { daemon, show } = await startPanes()
    const mux = await client(daemon)
    const { session, result } = await mux.run({ prompt: 'sim:text the needle is here', cwd: tempDir() })
    await result()
    await (await mux.run({ session, prompt: 'sim:loop rounds=80 takesMs=1' })).result()
    const page = await newPage()
    await show(page, { sessions: [session] })
    await page.locator('.end').waitFor()
    await page.getByRole('textbox', { name: 'Prompt' }).press('Control+f')
    await page.getByRole('textbox', { name: 'Search in this conversation' }).fill('needle')
    await page.getByText('not found').waitFor()
    await page.getByRole('button', { name: 'Load older' }).click()
    await page.getByText('1 of').waitFor()
    await page.keyboard.press('Enter')
    await page.locator('.said').getByText('the needle is here').waitFor()
    await page.keyboard.press('Escape')
    expect(await page.getByRole('search').count()).toBe(0)
  })

  it('offers an observer nothing to change', async () => {
    const { daemon, show } = await startPanes()
    const mux = await client(daemon)
    const { session, result } = await mux.run({ prompt: 'sim:text one', cwd: tempDir() })
    await result()
    const page = await newPage()
    await show(page, { sessions: [session], readOnly: true })
    await page.locator('.end').waitFor()
    expect(await page.getByRole('textbox').count()).toBe(0)
    expect(await page.getByRole('combobox').count()).toBe(0)
  })
})

const words = (text: string) => text.split(/\s+/).filter(Boolean)
