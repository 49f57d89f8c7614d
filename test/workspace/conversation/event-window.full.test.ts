import type { Page } from 'playwright-core'
import { expect, it, onTestFinished } from 'vitest'
import { connect, type Mux } from '../../../client/sdk/index.ts'
import type { EventWindow } from '../../../client/workspace/conversation/event-window/event-window.ts'
import { describeWithPages } from '../../client/chromium.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { until } from '../../support/until.ts'
import { startPanes } from './open-panes.ts'

/** With `pieceMs: 0` the window replays its events one at a time, so that many new ones arrive meanwhile. */
const bounds = { events: 100, maxEvents: 300, maxCharacters: 1_000_000, pieceMs: 0 }
/** Bounds within which the window drops nothing. */
const wide = { events: 100_000, maxEvents: 100_000, maxCharacters: 100_000_000, pieceMs: 100 }
const loop = 'sim:loop rounds=130 takesMs=1'

describeWithPages('the event window of a pane', newPage => {
  it('drops its oldest events while it follows, and shows the same end as an unbounded one', async () => {
    const { page, mux, session } = await startFeed(newPage)
    await open(page, session, bounds)
    const run = await mux.run({ session, prompt: loop })
    await run.result()
    const { lastSeq } = await run.info()
    const shown = await until(async () => {
      const seen = await look(page)
      expect(seen.last).toBe(lastSeq)
      expect(seen.last - seen.first).toBeLessThanOrEqual(bounds.maxEvents)
      return seen
    })
    expect(shown).toMatchObject({ state: 'following', hasOlder: true, hasNewer: false })
    // The first items may have lost their beginning, so they are not compared.
    expect(await itemsOfAll(page, session, shown.items.length - 5)).toEqual(shown.items.slice(5))
  })

  it('drops its newest events while it is read upwards, and loads them again in steps or at once', async () => {
    const { page, mux, session } = await startFeed(newPage)
    await (await mux.run({ session, prompt: loop })).result()
    await open(page, session, bounds)
    let shown = await look(page)
    expect(shown).toMatchObject({ state: 'following', hasNewer: false })
    const end = shown.items.slice(-10)
    await page.evaluate(() => (eventWindow.keepTop = true))
    for (let pages = 0; shown.hasOlder; pages++) {
      expect(pages).toBeLessThan(20)
      await page.evaluate(() => eventWindow.loadOlder())
      shown = await look(page)
      expect(shown.last - shown.first).toBeLessThanOrEqual(bounds.maxEvents)
    }
    expect(shown).toMatchObject({ state: 'detached', first: 2, hasNewer: true })
    for (let pages = 0; shown.hasNewer; pages++) {
      expect(pages).toBeLessThan(20)
      await page.evaluate(() => eventWindow.loadNewer())
      shown = await look(page)
      expect(shown.last - shown.first).toBeLessThanOrEqual(bounds.maxEvents)
    }
    expect(shown.state).toBe('following')
    expect(shown.items.slice(-10)).toEqual(end)
    await page.evaluate(() => eventWindow.loadOlder())
    await page.evaluate(() => eventWindow.toEnd())
    await until(async () => {
      const { state, items } = await look(page)
      expect(state).toBe('following')
      expect(items.slice(-10)).toEqual(end)
    })
  })
})

declare global {
  /** The window under test, in its page. */
  var eventWindow: EventWindow
}

async function startFeed(newPage: () => Promise<Page>): Promise<{ page: Page; mux: Mux; session: string }> {
  const { daemon, show } = await startPanes()
  const { url, token } = daemon.info
  const mux = await connect({ url, token, client: { name: 'script', version: '0' } })
  onTestFinished(() => mux.close())
  const { session, result } = await mux.run({ prompt: 'sim:text first', cwd: tempDir() })
  await result()
  const page = await newPage()
  await show(page, { sessions: [] })
  await page.waitForFunction(() => 'openEventWindow' in globalThis)
  return { page, mux, session }
}

async function open(page: Page, session: string, within: typeof bounds): Promise<void> {
  await page.evaluate(([id, most]) => void (globalThis.eventWindow = globalThis.openEventWindow(id, most)), [
    session,
    within,
  ] as const)
  await page.waitForFunction(() => eventWindow.state === 'following')
}

/** Returns what the window shows. */
const look = (page: Page) =>
  page.evaluate(() => {
    const { state, last, hasOlder, hasNewer, transcript } = eventWindow
    const items = transcript.items.map(item => {
      if (item.kind === 'text') return [item.key, item.blocks.all.map(({ source }) => source).join('')]
      return item.kind === 'tool' ? [item.key, item.state, item.input, item.output] : [item.key]
    })
    return { state, last, hasOlder, hasNewer, first: transcript.items[0]!.seq, items }
  })

/** Returns the last `count` items of a window that holds everything. */
async function itemsOfAll(page: Page, session: string, count: number) {
  await open(page, session, wide)
  return (await look(page)).items.slice(-count)
}
