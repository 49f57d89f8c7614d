import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openSqlite } from '../../daemon/store/sqlite/sqlite.ts'
import { describeWithPages } from '../client/chromium.ts'
import { connectForTest } from '../client/harness.ts'
import { canMount, endAllOf, startTestDaemon, tempHome, type TestDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { openSession, openWorkspace, originOf, saidIn, sees, seesRunning, violations, words } from './page.ts'

describeWithPages('a page that loses its daemon', newPage => {
  it('continues the stream on the next daemon and shows everything once, also after a reload', async () => {
    const argv = await onPort()
    const env = { MUXD_SIMULATOR_SPEED: '1' }
    const first = await startTestDaemon({ argv, env })
    const page = await newPage()
    await page.setViewportSize({ width: 1_400, height: 2_400 })
    await openWorkspace(page, { info: first.info })
    await sees(page, 'No session yet')
    const script = await connectForTest({ home: first.home })
    // The run has to outlast a slow start of the second daemon.
    const prompt = 'sim:long words=700 delayMs=30'
    const run = await script.run({ prompt, cwd: tempDir(), title: 'outlives it' })
    await openSession(page, /outlives it/)
    await until(async () => expect((await saidIn(page)).length).toBeGreaterThan(50))
    await first.kill()
    await sees(page, 'Reconnecting…')
    expect(await violations(page)).toEqual([])
    await startTestDaemon({ argv, env, home: first.home })
    await sees(page, 'Connected again')
    await until(async () => expect(await page.getByText('Reconnecting…').count()).toBe(0))
    await seesRunning(page)
    const before = (await saidIn(page)).length
    await until(async () => expect((await saidIn(page)).length).toBeGreaterThan(before))
    await page.reload()
    await until(async () => expect((await saidIn(page)).length).toBeGreaterThan(before))
    const { response } = await run.result()
    await page.locator('.end[data-end="done"]').waitFor()
    expect(words(response)).toHaveLength(700)
    expect(await saidIn(page)).toEqual(words(response))
    expect(await page.locator('.prompt').count()).toBe(1)
  }, 120_000)

  const losses: [what: string, lose: (daemon: TestDaemon) => Promise<void>, can: boolean][] = [
    ['the machine went down', endAllOf, canMount],
    ['the newest events of the log are gone', loseNewest, true],
  ]
  for (const [what, lose, can] of losses)
    it.skipIf(!can)(`shows where events could not be recovered when ${what}`, async () => {
      const argv = await onPort()
      const home = tempHome()
      const start = (boot: string) => startTestDaemon({ argv, home, ...(can && canMount && { boot }) })
      const first = await start('first')
      const script = await connectForTest({ home })
      const run = await script.run({ prompt: 'sim:text said before', cwd: tempDir(), title: 'loses something' })
      await run.result()
      const page = await newPage()
      await openWorkspace(page, { info: first.info })
      await openSession(page, /loses something/)
      await page.locator('.end').waitFor()
      await lose(first)
      await sees(page, 'Reconnecting…')
      await start('second')
      const banner = page.getByText('Not everything could be recovered.')
      await banner.waitFor()
      await page.locator('.line').getByText('The log was begun anew').waitFor()
      // The page has dropped what it had read from the old log.
      expect(await page.locator('.prompt').count()).toBe(1)
      expect((await page.locator('.said').allTextContents()).map(text => text.trim())).toEqual(['said before'])
      expect(await violations(page)).toEqual([])
      await page.getByRole('button', { name: 'Understood' }).click()
      await until(async () => expect(await banner.count()).toBe(0))
      // The session continues after the recovered part.
      await script.run({ session: run.session, prompt: 'sim:text said afterwards' })
      await page.locator('.said').getByText('said afterwards').waitFor()
    })

  it('says what to do without a daemon, with a revoked token, and without Claude Code', async () => {
    const { info, peer } = await startTestDaemon({
      argv: [],
      env: { PATH: '/usr/bin', HOME: tempDir(), MUXD_CLAUDE_BIN: '/nowhere/claude' },
    })
    const page = await newPage()
    await openWorkspace(page, { info })
    await sees(page, 'Claude Code was not found.')
    expect(await page.getByText('Simulator', { exact: true }).count()).toBe(0)
    expect(await violations(page)).toEqual([])
    const control = await peer()
    const { tokens } = await control.call<{ tokens: { id: string; builtIn: boolean }[] }>('token.list')
    for (const { id, builtIn } of tokens) if (!builtIn) await control.call('token.revoke', { id })
    await sees(page, 'The link of this window no longer counts.')
    // A tab that the browser has restored while no daemon runs.
    const lonely = await newPage()
    await lonely.addInitScript(() => sessionStorage.setItem('muxd.token', 'x'))
    await lonely.route('**/ws', route => route.abort())
    await lonely.routeWebSocket('**/ws', socket => void socket.close())
    await lonely.goto(`${originOf(info)}/`)
    await sees(lonely, 'No daemon answers')
  })
})

/** Stops the daemon in order, then deletes the newest event of its log. */
async function loseNewest(daemon: TestDaemon): Promise<void> {
  await daemon.stop()
  const database = openSqlite(join(daemon.home, 'muxd.db'))
  database.exec('DELETE FROM events WHERE place = (SELECT max(place) FROM events)')
  database.close()
}

/** Returns arguments with a free port, so that the next daemon can listen at the same address. */
async function onPort(): Promise<string[]> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return ['--simulate', '--port', String(port)]
}
