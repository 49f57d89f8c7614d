import { expect, it } from 'vitest'
import { describeWithPages } from '../client/chromium.ts'
import { connectForTest } from '../client/harness.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { openSession, openWorkspace } from './page.ts'

const buttons: Record<string, string> = {
  rate_limit: 'Run again',
  overloaded: 'Run again',
  auth: 'Run again',
  billing: 'Run again',
  network: 'Run again',
  invalid_request: 'Edit the prompt',
  not_found: 'Choose a model',
  prompt_too_long: 'New session with this prompt',
  refusal: 'Edit the prompt',
  max_turns: 'Continue',
}

describeWithPages('a failed run', newPage => {
  it('has advice in plain words and a button that follows it', { timeout: 180_000 }, async () => {
    const { home, info } = await startTestDaemon()
    const mux = await connectForTest({ home })
    const page = await newPage({ apart: true })
    await page.setViewportSize({ width: 1_300, height: 800 })
    await openWorkspace(page, { info })
    let session: string | undefined
    for (const [kind, name] of Object.entries(buttons)) {
      const prompt = `sim:fail kind=${kind} retries=0`
      const run = await mux.run({ prompt, ...(session ? { session } : { cwd: tempDir(), title: 'fails' }) })
      if (!session) await openSession(page, /fails/)
      session = run.session
      expect((await run.wait()).state, kind).toBe('failed')
      const remedy = page.locator('.conversation .end').last().locator('.remedy')
      await remedy.getByRole('button', { name, exact: true }).waitFor()
      const advice = (await remedy.locator('span').first().textContent())!
      expect(advice, kind).toMatch(/^[A-Z][^`]*[.!?]$/)
      expect(advice, kind).not.toMatch(/\b[a-z]+[A-Z]\w*|--\w|\w_\w/)
    }
    // The button belongs to the last kind, a run that reached its limit of turns.
    const before = (await mux.api.run.list({ session: session! })).runs.length
    await page.getByRole('button', { name: 'Continue', exact: true }).click()
    await until(async () => expect((await mux.api.run.list({ session: session! })).runs).toHaveLength(before + 1))
    await page
      .getByRole('article', { name: /Prompt by/ })
      .getByText('Continue.')
      .waitFor()
  })
})
