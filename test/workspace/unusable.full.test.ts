import { expect, it } from 'vitest'
import { describeWithPages } from '../client/chromium.ts'
import { connectForTest } from '../client/harness.ts'
import { goingOn } from '../support/printing.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { openSession, openWorkspace } from './page.ts'

const frames = [
  { type: 'assistant', message: { id: 'msg_1', content: [{ type: 'text', text: 'hello' }] } },
  { type: 'tool_progress', tool_use_id: 'toolu_1', elapsed_time_seconds: 1 },
]

describeWithPages('an unusable session', newPage => {
  it('shows the reason in the list and in its pane, and takes no prompt', { timeout: 180_000 }, async () => {
    const { home, info } = await startTestDaemon({ env: { MUXD_THROW_AT: 'handled:tool_progress' } })
    const mux = await connectForTest({ home })
    const page = await newPage({ apart: true })
    await page.setViewportSize({ width: 1_300, height: 800 })
    await openWorkspace(page, { info })
    const { session } = await mux.run({ prompt: 'sim:text hello', cwd: tempDir(), title: 'broken' })
    await openSession(page, /broken/)
    await page.locator('.conversation .prompt-box').waitFor()
    for (let round = 0; round < 2; round++) await (await mux.run({ session, prompt: goingOn(frames) })).wait()
    const { unusable } = await mux.api.session.get({ session })
    expect(unusable!.reason).toContain('thrown at')
    const row = page.getByRole('option', { name: /broken/ })
    await row.getByText('unusable', { exact: true }).waitFor()
    await row.getByText(unusable!.reason).waitFor()
    const notice = page.locator('.conversation').getByRole('alert').filter({ hasText: 'This session is unusable' })
    await notice.getByText(unusable!.reason).waitFor()
    await until(async () => expect(await page.locator('.conversation .prompt-box').count()).toBe(0))
    expect(await page.locator('.conversation .remedy').getByRole('button').count()).toBe(0)
  })
})
