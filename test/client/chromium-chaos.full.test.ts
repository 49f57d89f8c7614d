import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import type * as Sdk from '../../client/sdk/browser.ts'
import { type Behind, hasty, startBehindProxy } from '../support/behind-proxy.ts'
import { tempDir } from '../support/temp-dir.ts'
import { testSeed } from '../support/test-seed.ts'
import { until } from '../support/until.ts'
import { expectWholeLog, type LogEvent, readLog } from '../support/whole-log.ts'
import { describeInChromium, type OpenPage } from './chromium.ts'

/** In the page. */
declare const sdk: typeof Sdk
declare const seen: { states: string[]; reasons: string[]; mux: Sdk.Mux; logs: Record<string, LogEvent[]> }

describeInChromium('the SDK in Chromium, over bad connections', openPage => {
  it('gets every event once and in order while connections are cut, torn, half-open, late and doubled', async () => {
    const started = await startBehindProxy()
    const { proxy, direct } = started
    const runs = await Promise.all([1, 2].map(() => start(started, 'sim:flood frames=4000 rate=600 size=200')))
    const page = await openFollowing(openPage, started, runs)
    proxy.rage(testSeed(7))
    proxy.reset()
    await Promise.all(runs.map(run => run.result()))
    proxy.calm()
    for (const { session } of runs) {
      const log = await readLog(direct.api.topic.read, session)
      await expectWholeIn(page, session, log)
    }
    const states = await page.evaluate(() => seen.states)
    expect(states.length, 'it lost its connection').toBeGreaterThan(4)
    expect(states).toEqual(states.map((_state, index) => (index % 2 ? 'open' : 'recovering')))
    expect([...proxy.met.values()].reduce((sum, count) => sum + count)).toBeGreaterThan(3)
  })

  it('has every event after the page was frozen, and its connection does not count as silent', async () => {
    const started = await startBehindProxy()
    const { direct } = started
    const run = await start(started, 'sim:flood frames=4000 rate=700 size=200')
    // The page is frozen for longer than the client tolerates silence.
    const page = await openFollowing(openPage, started, [run], { ...hasty, silenceMs: 3_000 })
    const devtools = await page.context().newCDPSession(page)
    await until(async () => expect(await countIn(page, run.session)).toBeGreaterThan(100))
    await devtools.send('Page.setWebLifecycleState', { state: 'frozen' })
    const before = await countIn(page, run.session)
    await run.result()
    const log = await readLog(direct.api.topic.read, run.session)
    expect(await countIn(page, run.session), 'it was frozen').toBeLessThan(before + 500)
    await devtools.send('Page.setWebLifecycleState', { state: 'active' })
    await expectWholeIn(page, run.session, log)
    // Some versions of Chromium close the sockets of a frozen page themselves (1006).
    expect((await page.evaluate(() => seen.reasons)).filter(reason => !reason.includes('1006'))).toEqual([])
  })

  it('has every event after the connection was lost in a frozen page', async () => {
    const started = await startBehindProxy()
    const { direct, proxy } = started
    const run = await start(started, 'sim:flood frames=3000 rate=1000 size=200')
    const page = await openFollowing(openPage, started, [run])
    const devtools = await page.context().newCDPSession(page)
    await until(async () => expect(await countIn(page, run.session)).toBeGreaterThan(100))
    await devtools.send('Page.setWebLifecycleState', { state: 'frozen' })
    proxy.reset()
    await run.result()
    const log = await readLog(direct.api.topic.read, run.session)
    await devtools.send('Page.setWebLifecycleState', { state: 'active' })
    await expectWholeIn(page, run.session, log)
    expect(await page.evaluate(() => seen.states.slice(0, 2))).toEqual(['recovering', 'open'])
  })

  it('has every event after the page was offline', async () => {
    const started = await startBehindProxy()
    const { direct, proxy } = started
    const run = await start(started, 'sim:flood frames=3000 rate=1000 size=200')
    const page = await openFollowing(openPage, started, [run])
    await until(async () => expect(await countIn(page, run.session)).toBeGreaterThan(100))
    await page.context().setOffline(true)
    proxy.reset()
    await until(async () => expect(await page.evaluate(() => seen.mux.state)).toBe('recovering'))
    await run.result()
    await page.context().setOffline(false)
    const log = await readLog(direct.api.topic.read, run.session)
    await expectWholeIn(page, run.session, log)
    await until(async () => expect(await page.evaluate(() => seen.mux.state)).toBe('open'))
  })

  it('keeps reconnecting although its requests are never answered', async () => {
    const started = await startBehindProxy()
    const { proxy } = started
    const page = await openFollowing(openPage, started, [])
    proxy.rage(1, { of: ['deaf'] })
    proxy.reset()
    // The first connection is an attempt; the second asks whether the token made it fail.
    await until(() => expect(proxy.met.get('deaf')).toBeGreaterThan(1))
    proxy.calm()
    await until(async () => expect(await page.evaluate(() => seen.mux.state)).toBe('open'), { timeout: 30_000 })
  })
})

const start = ({ direct }: Behind, prompt: string) => direct.run({ prompt, cwd: tempDir() })

/** Opens a page behind the proxy that follows the sessions and collects in `seen` what it saw. */
async function openFollowing(
  openPage: OpenPage,
  { proxy, daemon }: Behind,
  runs: { session: string }[],
  connectionTiming = hasty,
): Promise<Page> {
  const page = await openPage(`http://127.0.0.1:${proxy.port}/healthz`)
  await page.evaluate(
    async ({ url, token, timing, sessions }) => {
      const mux = await sdk.connect({ url, token, timing })
      const states: string[] = []
      const reasons: string[] = []
      mux.onState((state, why) => {
        states.push(state)
        if (why) reasons.push(why.message)
      })
      const logs: Record<string, LogEvent[]> = {}
      Object.assign(globalThis, { seen: { states, reasons, mux, logs } })
      for (const session of sessions) {
        const log: LogEvent[] = (logs[session] = [])
        void (async () => {
          for await (const item of mux.subscribe(`session/${session}`, { since: 'start', window: 65_536 }))
            log.push(item)
        })()
      }
    },
    {
      url: proxy.url,
      token: daemon.info.token,
      timing: connectionTiming,
      sessions: runs.map(({ session }) => session),
    },
  )
  return page
}

const countIn = (page: Page, session: string) => page.evaluate(of => seen.logs[of]!.length, session)

/** Waits up to 40 s: a request that the page sent just before the calm may take 10 s to time out. */
async function expectWholeIn(page: Page, session: string, log: object[]): Promise<void> {
  await until(
    async () => {
      const { state, states } = await page.evaluate(() => ({ state: seen.mux.state, states: seen.states.length }))
      expect(await countIn(page, session), `${state} after ${states} changes`).toBeGreaterThanOrEqual(log.length)
    },
    { timeout: 40_000, interval: 100 },
  )
  expectWholeLog(await page.evaluate(of => seen.logs[of]!, session), { log })
}
