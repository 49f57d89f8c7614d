import { expect, it } from 'vitest'
import type { Usage } from '../../protocol/index.ts'
import { bytes, count, usd } from '../../client/workspace/parts/format.ts'
import { describeWithPages } from '../client/chromium.ts'
import { connectForTest } from '../client/harness.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { openSession, openWorkspace, tab, violations } from './page.ts'

describeWithPages('the blocks of the page', newPage => {
  it('usage shows the numbers of usage.get, by day and model', async () => {
    const { home, info } = await startTestDaemon()
    const script = await connectForTest({ home })
    const runs = ['sim:tools', 'sim:subagent', 'sim:long words=300 delayMs=1']
    for (const prompt of runs) await (await script.run({ prompt, cwd: tempDir() })).result()
    const { total, rows } = await script.api.usage.get({ by: ['day', 'model'], timeZone: 'UTC' })
    expect(total.runs).toBe(3)
    const page = await newPage()
    await openWorkspace(page, { info })
    await tab(page, 'Usage').click()
    const read = ({ tokens: { input, cacheRead, cacheCreation } }: Pick<Usage['rows'][number], 'tokens'>) =>
      count(input + cacheRead + cacheCreation)
    const figures = page.locator('.usage .figure')
    await figures.first().waitFor()
    expect(await figures.allTextContents()).toEqual([usd(total.costUsd), '3', read(total), count(total.tokens.output)])
    const table = page.getByRole('table', { name: 'Usage by day and model' })
    const shown = await table
      .locator('tbody tr')
      .evaluateAll(lines => lines.map(line => [...line.querySelectorAll('td')].map(cell => cell.textContent)))
    const expected = rows.map(row => [
      row.model,
      count(row.runs),
      read(row),
      count(row.tokens.output),
      usd(row.costUsd),
    ])
    expect(new Set(shown.map(([, ...cells]) => cells.join(' ')))).toEqual(
      new Set(expected.map(cells => cells.join(' '))),
    )
    expect(await page.locator('.plot rect[class^="series-"]').count()).toBe(rows.length * 2)
    expect(await violations(page)).toEqual([])
  })

  it('daemon shows daemon.status and its changes', async () => {
    const { home, info } = await startTestDaemon()
    const script = await connectForTest({ home, client: { name: 'a script', version: '1' } })
    const page = await newPage()
    await openWorkspace(page, { info })
    await tab(page, 'Daemon').click()
    const fact = (name: string) =>
      page.locator('.daemon dt').getByText(name, { exact: true }).locator('xpath=following-sibling::dd')
    await fact('Version').waitFor()
    const status = await script.api.daemon.status({})
    expect(await fact('Version').textContent()).toBe(status.version)
    expect(await fact('Home').textContent()).toBe(home)
    expect(await fact('Process').textContent()).toContain(`${status.pid}, up`)
    expect(await fact('Claude Code').textContent()).toContain('simulator')
    expect(await fact('Pty-host').textContent()).toContain(`connected ${status.ptyHost.pid}`)
    expect(await fact('Free').textContent()).toMatch(new RegExp(`${bytes(status.disk.freeBytes).split(' ')[1]}$`))
    expect(await fact('Runs').textContent()).toContain('none')
    await page.getByRole('row', { name: /a script/ }).waitFor()
    await page.getByRole('row', { name: /Chrome on Linux \(this window\) control/ }).waitFor()
    const run = await script.run({ prompt: 'sim:hang at=text', cwd: tempDir() })
    await until(async () => expect(await fact('Runs').textContent()).toContain('1 running'))
    await run.cancel()
    await until(async () => expect(await fact('Runs').textContent()).toContain('1 cancelled'))
  })

  it('a session is drawn in an animation frame, not with every change of a record', async () => {
    const { home, info } = await startTestDaemon()
    const script = await connectForTest({ home })
    const first = await script.run({ prompt: 'sim:text', cwd: tempDir(), title: 'first' })
    await first.result()
    const { session } = first
    const page = await newPage()
    // An observer's pane has no prompt box, which would draw the pane again once it knows what may be written.
    await openWorkspace(page, { info, role: 'observe' })
    await openSession(page, /first/)
    const prompts = page.locator('.conversation .prompt')
    await until(async () => expect(await prompts.count()).toBe(1))
    const release = await page.evaluateHandle(() => {
      const draw = globalThis.requestAnimationFrame
      const held: FrameRequestCallback[] = []
      globalThis.requestAnimationFrame = work => held.push(work)
      return () => {
        globalThis.requestAnimationFrame = draw
        for (const work of held) draw(work)
      }
    })
    await (await script.run({ prompt: 'sim:text', session })).result()
    await script.api.session.update({ session, title: 'Another title' })
    await tab(page, 'Another title').waitFor()
    expect(await prompts.count()).toBe(1)
    await release.evaluate(call => call())
    await until(async () => expect(await prompts.count()).toBe(2))
  })

  it('frames starts at the end, loads older frames upwards, and shows a chosen one in full', {
    timeout: 180_000,
  }, async () => {
    const { home, info } = await startTestDaemon()
    const script = await connectForTest({ home })
    const run = await script.run({ prompt: 'sim:flood frames=3000', cwd: tempDir(), title: 'many' })
    await run.result()
    const topic = `session/${run.session}/frames` as const
    const { head } = await script.api.topic.read({ topic, after: 0, limit: 1 })
    const page = await newPage()
    await openWorkspace(page, { info })
    await openSession(page, /many/)
    await page.keyboard.press('Alt+f')
    const list = page.getByRole('listbox', { name: /Frames/ })
    await list.getByText(String(head), { exact: true }).waitFor()
    expect(await list.getByRole('option').count()).toBeLessThan(100)
    await until(async () => {
      await list.evaluate(element => (element.scrollTop = 0))
      await list.getByText('1', { exact: true }).waitFor({ timeout: 50 })
    })
    await list.getByText('1', { exact: true }).click()
    const { events } = await script.api.topic.read({ topic, after: 0, limit: 1 })
    const [first] = events as { frame?: { type: string } }[]
    const detail = page.getByRole('complementary', { name: 'Frame 1' })
    await detail.getByText(JSON.stringify(first!.frame!.type)).first().waitFor()
    expect(await violations(page)).toEqual([])
  })
})
