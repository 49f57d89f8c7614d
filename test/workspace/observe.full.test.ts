import { expect, it } from 'vitest'
import { describeWithPages } from '../client/chromium.ts'
import { connectForTest } from '../client/harness.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'
import { openSession, openWorkspace, sees, tab, violations } from './page.ts'

/** Names of controls that start, answer, change or end something. */
const acting = /new session|^new$|send|queue|allow|approve|deny|always|cancel|kill|end the process|change input/i

describeWithPages('a page with an observe token', newPage => {
  it('shows everything, with nothing to start, answer, change or cancel', async () => {
    const { home, info } = await startTestDaemon()
    const script = await connectForTest({ home })
    const page = await newPage()
    await page.setViewportSize({ width: 1_500, height: 900 })
    await openWorkspace(page, { info, role: 'observe' })
    const expectNothingToDo = async () => {
      expect(await page.getByRole('button', { name: acting }).count()).toBe(0)
      expect(await page.getByRole('textbox', { name: /prompt|why not/i }).count()).toBe(0)
      expect(await page.getByRole('combobox', { name: /permission|model/i }).count()).toBe(0)
      expect(await page.locator('.palette-row').getByText(acting).count()).toBe(0)
    }
    await sees(page, 'Watching only')
    await sees(page, 'sessions that others begin appear here')
    await expectNothingToDo()

    await script.run({ prompt: 'sim:permission', cwd: tempDir(), title: 'asks' })
    await page.getByRole('article').getByText('somebody else has to answer').waitFor()
    await expectNothingToDo()
    await openSession(page, /asks/)
    await page.locator('.conversation .approval').getByText('somebody else has to answer').waitFor()
    await page.keyboard.press('a')
    await expectNothingToDo()

    const run = await script.run({ prompt: 'sim:hang at=text', cwd: tempDir(), title: 'goes on' })
    const { run: queued } = await script.api.run.start({ session: run.session, prompt: 'sim:text waits' })
    await openSession(page, /goes on/)
    await page.locator('.conversation').last().getByText('Running').waitFor()
    await page.locator('.queue').getByText('sim:text waits').waitFor()
    await page.keyboard.press('Escape')
    await expectNothingToDo()
    expect(await violations(page)).toEqual([])

    // Keys and the palette offer nothing of the kind either.
    for (const keys of ['Alt+n', 'Alt+Period']) await page.keyboard.press(keys)
    expect(await page.getByRole('dialog').count()).toBe(0)
    await page.keyboard.press('Control+k')
    await page.getByRole('option', { name: /Open sessions/ }).waitFor()
    await expectNothingToDo()
    await page.keyboard.press('Escape')
    for (const name of ['Approvals', 'Usage', 'Daemon']) {
      await tab(page, name).click()
      await page.getByRole('group', { name }).waitFor()
      await expectNothingToDo()
    }
    const { approvals } = await script.api.approval.list({})
    expect(approvals).toHaveLength(1)
    expect((await run.info()).state).toBe('running')
    expect((await script.attach(queued).info()).state).toBe('queued')
  })
})
