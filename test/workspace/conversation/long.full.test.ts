import type { Page } from 'playwright-core'
import { expect, it, onTestFinished } from 'vitest'
import { connect, type Mux } from '../../../client/sdk/index.ts'
import type { TestDaemon } from '../../support/daemon.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { until } from '../../support/until.ts'
import { describeWithPages } from '../../client/chromium.ts'
import { startPanes } from './open-panes.ts'

const events = 100_000

describeWithPages('the pane of a long session', newPage => {
  it('shows the end of 100,000 events, scrolls up without a jump, and follows the end again', async () => {
    const { daemon, show } = await startPanes()
    const mux = await client(daemon)
    const run = await mux.run({ prompt: `sim:long words=${events} delayMs=0`, cwd: tempDir() })
    const { session } = run
    await run.result()
    expect((await run.info()).lastSeq).toBeGreaterThan(events)
    const page = await newPage()
    await show(page, { sessions: [session] })
    await page.locator('.end').waitFor()
    await until(async () => expect(await fromEnd(page)).toBeLessThan(20))
    const drawn: number[] = []
    for (let pages = 0; pages < 3; pages++) {
      const { grown, moved, rows } = await page.evaluate(readAtTop)
      expect(grown).toBeGreaterThan(1_000)
      expect(moved).toBeLessThan(2)
      drawn.push(rows)
    }
    expect(Math.max(...drawn)).toBeLessThan(200)
    await page.getByRole('button', { name: 'Latest' }).click()
    await page.locator('.end').waitFor()
    await (await mux.run({ session, prompt: 'sim:text what came last' })).result()
    await page.locator('.said').getByText('what came last').waitFor()
    await until(async () => expect(await fromEnd(page)).toBeLessThan(20))
  })

  it('lays out six streaming panes less than 1.7 times a frame', async () => {
    const { daemon, show } = await startPanes({ config: { maxRuns: 6 } })
    const mux = await client(daemon)
    const runs = await Promise.all(
      Array.from({ length: 6 }, () => mux.run({ prompt: 'sim:loop rounds=20 takesMs=1', cwd: tempDir() })),
    )
    await Promise.all(runs.map(({ result }) => result()))
    const page = await newPage()
    await show(page, { sessions: runs.map(({ session }) => session) })
    await until(async () => expect(await page.locator('.end').count()).toBe(6))
    const devtools = await page.context().newCDPSession(page)
    await devtools.send('Performance.enable')
    const layouts = async () => {
      const { metrics } = await devtools.send('Performance.getMetrics')
      return metrics.find(({ name }) => name === 'LayoutCount')!.value
    }
    const before = await layouts()
    const counting = page.evaluate(countFrames)
    const more = runs.map(({ session }) => mux.run({ session, prompt: 'sim:flood frames=600 rate=200 size=60' }))
    await Promise.all(more.map(async run => await (await run).result()))
    await page.evaluate(() => (isOver = true))
    const frames = await counting
    // One layout a frame, and a second one in frames that begin with a measurement.
    expect((await layouts()) - before).toBeLessThan(1.7 * frames)
  })

  it('draws nothing while it is hidden, and everything when it is shown again', async () => {
    const { daemon, show } = await startPanes()
    const mux = await client(daemon)
    const { session, result } = await mux.run({ prompt: 'sim:text one', cwd: tempDir() })
    await result()
    const page = await newPage()
    await show(page, { sessions: [session] })
    await page.locator('.end').waitFor()
    await page.evaluate(async () => {
      const pane = document.querySelector<HTMLElement>('.pane')!
      pane.style.display = 'none'
      await new Promise(resolve => new IntersectionObserver(resolve).observe(pane))
      await new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)))
      globalThis.touched = 0
      new MutationObserver(found => (touched += found.length)).observe(pane, { subtree: true, childList: true })
    })
    await (await mux.run({ session, prompt: 'sim:long words=200 delayMs=1' })).result()
    await page.evaluate(() => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve))))
    expect(await page.evaluate(() => touched)).toBe(0)
    await page.evaluate(() => (document.querySelector<HTMLElement>('.pane')!.style.display = ''))
    await until(async () => expect(await page.locator('.end').count()).toBe(2))
  })
})

declare global {
  /** In the page: the number of unexpected changes. `isOver` ends a count. */
  var touched: number
  var isOver: boolean
}

async function client({ info }: TestDaemon): Promise<Mux> {
  const mux = await connect({ url: info.url, token: info.token, client: { name: 'script', version: '0' } })
  onTestFinished(() => mux.close())
  return mux
}

/** Returns the pixels between the view and the end. */
const fromEnd = (page: Page) =>
  page
    .getByRole('region', { name: 'Messages' })
    .evaluate(element => element.scrollHeight - element.scrollTop - element.clientHeight)

/**
 * In the page: goes to the top of what is loaded and stays there while more is loaded above it. Returns the pixels that
 * were added above, the pixels by which the visible row moved at most, and the maximum number of rows.
 */
async function readAtTop(): Promise<{ grown: number; moved: number; rows: number }> {
  const scroller = document.querySelector('.scroller')!
  // Wait until the frame is painted: before that, new rows are not yet measured and placed.
  const frame = () => new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)))
  // The page loads more when less than a screen is above the view.
  while (scroller.scrollTop > scroller.clientHeight) {
    scroller.scrollTop -= Math.min(scroller.clientHeight, scroller.scrollTop - 300)
    await frame()
  }
  const from = scroller.getBoundingClientRect().top
  let row: Element | undefined
  let top = 0
  let moved = 0
  let rows = 0
  const before = scroller.scrollTop
  for (let frames = 0; frames < 600 && scroller.scrollTop < before + 1_000; frames++) {
    await frame()
    const all = [...scroller.querySelectorAll('.entry')]
    rows = Math.max(rows, all.length)
    if (!row) {
      row = all.find(each => each.getBoundingClientRect().bottom > from)!
      top = row.getBoundingClientRect().top
    }
    moved = Math.max(moved, Math.abs(row.getBoundingClientRect().top - top))
  }
  return { grown: scroller.scrollTop - before, moved, rows }
}

/** In the page: counts the frames of the screen until `isOver`. */
async function countFrames(): Promise<number> {
  globalThis.isOver = false
  let frames = 0
  for (; !isOver; frames++) await new Promise(resolve => requestAnimationFrame(resolve))
  return frames
}
