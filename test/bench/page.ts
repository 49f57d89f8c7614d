import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { startChromium } from '../support/chromium.ts'
import { openPeer, type RpcPeer } from '../support/rpc-peer.ts'
import { startBenchDaemon } from './bench-daemon.ts'
import type { BenchLine } from './bench-line.ts'
import { framesOf, type PageFrames, traceCategories } from './page-frames.ts'
import { median, quantile } from './statistics.ts'

const goal = 'PAGE'
const panes = 6
const eventsPerSecond = 200

/**
 * Measures the workspace page in Chromium: six sessions side by side that all receive events at once; the time from
 * opening a session of 100,000 events to its end on the screen; and the memory of the page after scrolling up. The
 * reference is a fixed piece of script and layout that the same page runs in between.
 */
export async function benchPage({
  roundMs = 20_000,
  screens = 150,
  openings = 7,
  longSession = 100_000,
  // Just below what a pane keeps, so that the pane drops its beginning during the measured time.
  written = 18_500,
} = {}): Promise<BenchLine[]> {
  const dir = mkdtempSync(join(tmpdir(), 'muxd-bench-'))
  const opened: { close(): Promise<void> }[] = []
  const open = <T extends { close(): Promise<void> }>(part: T): T => {
    opened.push(part)
    return part
  }
  try {
    const env = { MUXD_SIMULATOR_HOME: join(dir, 'simulator'), XDG_STATE_HOME: join(dir, 'state') }
    const { info } = open(await startBenchDaemon(dir, ['--simulate', '--max-runs', '16'], env))
    const { browser } = open(await startChromium())
    const peer = await openPeer(info.url, info.token, 'bench')
    const place = { dir, peer, browser, origin: info.url.replace('ws:', 'http:').replace('/ws', '') }
    const long = await startRun(place, `sim:flood frames=${longSession} size=60`)
    await peer.call('run.wait', { run: long.run })
    return [
      ...(await measureWriting(
        place,
        'text',
        { roundMs, written },
        seconds => `sim:flood frames=${seconds * eventsPerSecond} rate=${eventsPerSecond} size=60`,
      )),
      ...(await measureWriting(
        place,
        'tools',
        { roundMs, written },
        seconds => `sim:replay speed=5 recording=${record(dir, seconds)}`,
      )),
      ...(await measureOpening(place, openings, longSession)),
      ...(await measureScrolling(place, long, { screens, longSession })),
    ]
  } finally {
    for (const part of opened.reverse()) await part.close()
    rmSync(dir, { recursive: true, force: true })
  }
}

interface Place {
  dir: string
  peer: RpcPeer
  browser: Browser
  origin: string
}

async function startRun(
  { dir, peer }: Place,
  prompt: string,
  session?: string,
): Promise<{ run: string; session: string }> {
  const to = session === undefined ? { create: { cwd: dir } } : { session }
  return await peer.call<{ run: string; session: string }>('run.start', { ...to, prompt })
}

async function measureWriting(
  place: Place,
  what: string,
  { roundMs, written }: { roundMs: number; written: number },
  promptFor: (seconds: number) => string,
): Promise<BenchLine[]> {
  const { peer, browser } = place
  const sessions = await Promise.all(
    Array.from({ length: panes }, () => peer.call<{ session: string }>('session.create', { cwd: place.dir })),
  )
  const ids = sessions.map(({ session }) => session)
  const columns = [0, 2, 4].map(at => ({
    share: 1 / 3,
    split: 'column',
    places: ids.slice(at, at + 2).map(id => ({ share: 0.5, tabs: [`session/${id}`], shown: `session/${id}` })),
  }))
  const page = await openPage(place, what, { version: 1, root: { share: 1, split: 'row', places: columns } })
  const all = async (prompt: string) => await Promise.all(ids.map(session => startRun(place, prompt, session)))
  const ended = async (runs: { run: string }[]) => {
    await Promise.all(runs.map(({ run }) => peer.call('run.wait', { run })))
  }
  await ended(await all(`sim:flood frames=${written} size=60`))
  const reference = await measureReference(page)
  // Longer than a busy machine needs to start and stop the tracing. The runs are cancelled after it.
  const runs = await all(promptFor(roundMs / 1e3 + 30))
  await pause(3_000)
  const before = await headsOf(place, ids)
  await browser.startTracing(page, { categories: traceCategories })
  const beganAt = performance.now()
  await pause(roundMs)
  await page.evaluate(twoFrames)
  const tookMs = performance.now() - beganAt
  const reached = (await headsOf(place, ids)) - before
  const frames = framesOf(await browser.stopTracing())
  for (const { run } of runs) await peer.call('run.cancel', { run, mode: 'kill' })
  await ended(runs)
  await page.close()
  return writingLines(what, frames, reference, reached / (tookMs / 1e3))
}

const twoFrames = () =>
  new Promise<void>(resolve => requestAnimationFrame(() => requestAnimationFrame(() => resolve())))

function writingLines(what: string, frames: PageFrames, referenceMs: number, reached: number): BenchLine[] {
  const { scriptMs, clockMs, layouts } = frames
  const line = (name: string, ms: number): BenchLine => ({
    goal,
    what: `${what} in ${panes} panes: script a frame, ${name}`,
    value: `${ms.toFixed(1)} ms`,
    reference: `piece of work ${referenceMs.toFixed(1)} ms`,
    ratio: ms / referenceMs,
    ...(name === 'worst' && { floor: '50 ms' }),
  })
  return [
    line('p50', quantile(scriptMs, 0.5)),
    line('p99', quantile(scriptMs, 0.99)),
    line('worst', quantile(scriptMs, 1)),
    line('worst by the clock', quantile(clockMs, 1)),
    {
      goal,
      what: `${what} in ${panes} panes: layouts a frame, mean and most`,
      value: `${(layouts.reduce((sum, each) => sum + each, 0) / frames.frames).toFixed(1)}, ${quantile(layouts, 1)}`,
      reference: `${frames.frames} frames`,
    },
    {
      goal,
      what: `${what} in ${panes} panes: load reached`,
      value: `${Math.round(reached)}/s`,
      reference: `${panes * eventsPerSecond}/s`,
      ratio: reached / (panes * eventsPerSecond),
    },
  ]
}

async function measureOpening(place: Place, openings: number, longSession: number): Promise<BenchLine[]> {
  const page = await openPage(place, 'opening', {
    version: 1,
    root: { share: 1, tabs: ['sessions'], shown: 'sessions' },
  })
  await page.getByRole('option').first().waitFor()
  const tookMs: number[] = []
  const referenceMs: number[] = []
  for (let opening = 0; opening < openings; opening++) {
    referenceMs.push(await measureReference(page))
    tookMs.push(await page.evaluate(openAndPaint))
    await page.keyboard.press('Alt+w')
    await page.locator('.conversation').waitFor({ state: 'detached' })
  }
  await page.close()
  const ms = median(tookMs)
  const reference = median(referenceMs)
  return [
    {
      goal,
      what: `from opening ${longSession.toLocaleString('en-US')} events to their end painted`,
      value: `${ms.toFixed(0)} ms`,
      reference: `piece of work ${reference.toFixed(1)} ms`,
      ratio: ms / reference,
      floor: '300 ms',
    },
  ]
}

async function measureScrolling(
  place: Place,
  { session }: { session: string },
  { screens, longSession }: { screens: number; longSession: number },
): Promise<BenchLine[]> {
  const page = await openPage(place, 'scrolling', {
    version: 1,
    root: { share: 1, tabs: [`session/${session}`], shown: `session/${session}` },
  })
  await page.locator('.conversation .end').waitFor()
  const before = await heapOf(page)
  await page.evaluate(scrollUp, screens)
  const after = await heapOf(page)
  const rows = await page.locator('.conversation .entry').count()
  await page.close()
  return [
    {
      goal,
      what: `heap after ${screens} screens were scrolled up`,
      value: `${after.toFixed(0)} MB`,
      reference: `at its end ${before.toFixed(0)} MB`,
      ratio: after / before,
    },
    { goal, what: 'rows in the document then', value: String(rows), reference: `of ${longSession} events` },
  ]
}

async function openPage({ browser, peer, origin }: Place, workspace: string, layout: object): Promise<Page> {
  await peer.call('workspace.save', { workspace, layout })
  const { url } = await peer.call<{ url: string }>('token.link', { role: 'control' })
  const page = await browser.contexts()[0]!.newPage()
  await page.setViewportSize({ width: 1_600, height: 1_000 })
  page.on('pageerror', error => process.stderr.write(`${String(error.stack)}\n`))
  if (!url.startsWith(origin)) throw new Error(`a link to elsewhere: ${url}`)
  await page.goto(`${url}&workspace=${workspace}`)
  return page
}

async function headsOf({ peer }: Place, ids: string[]): Promise<number> {
  const heads = ids.map(id => peer.call<{ head: number }>('topic.read', { topic: `session/${id}`, after: 0, limit: 1 }))
  return (await Promise.all(heads)).reduce((sum, { head }) => sum + head, 0)
}

async function heapOf(page: Page): Promise<number> {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('HeapProfiler.collectGarbage')
  const { usedSize } = await devtools.send('Runtime.getHeapUsage')
  await devtools.detach()
  return usedSize / 1e6
}

/** The fastest of 15 runs, because other work of the machine only makes a run slower. */
const measureReference = async (page: Page) =>
  Math.min(...(await Promise.all(Array.from({ length: 15 }, () => page.evaluate(pieceOfWork)))))

/**
 * In the page: work that any page does, as a measure of the machine. Creates and lays out rows of text, and parses
 * JSON. Returns ms.
 */
function pieceOfWork(): number {
  const from = performance.now()
  const container = document.createElement('div')
  for (let row = 0; row < 200; row++) {
    const element = document.createElement('p')
    element.textContent = 'the quick brown fox jumps over the lazy dog '.repeat(10)
    container.append(element)
  }
  document.body.append(container)
  const { height } = container.getBoundingClientRect()
  container.remove()
  const text = JSON.stringify(Array.from({ length: 1_000 }, (_, index) => ({ index, height, text: `row ${index}` })))
  for (let reading = 0; reading < 5; reading++) JSON.parse(text)
  return performance.now() - from
}

/** In the page: opens the oldest session of the list. Resolves with the ms until its end has been painted. */
async function openAndPaint(): Promise<number> {
  const from = performance.now()
  document.querySelector<HTMLElement>('[role="option"]:last-of-type')!.click()
  while (!document.querySelector('.conversation .end')) await new Promise(resolve => requestAnimationFrame(resolve))
  // The drawing of a frame has been painted when the next frame begins.
  await new Promise(resolve => requestAnimationFrame(resolve))
  return performance.now() - from
}

/** In the page: scrolls up screen by screen, and waits where more of the log has to be loaded. */
async function scrollUp(screens: number): Promise<void> {
  const scroller = document.querySelector('.conversation .scroller')!
  for (let screen = 0; screen < screens; screen++) {
    for (let waited = 0; scroller.scrollTop < 100 && waited < 100; waited++)
      await new Promise(resolve => requestAnimationFrame(resolve))
    scroller.scrollBy(0, -scroller.clientHeight)
    await new Promise(resolve => requestAnimationFrame(resolve))
    await new Promise(resolve => requestAnimationFrame(resolve))
  }
}

/** Writes a recording of thinking, text and tools in many messages that lasts `seconds`. Returns its path. */
function record(dir: string, seconds: number): string {
  const path = join(dir, 'tools.raw')
  const turn = ['think', 'text', 'bash', 'read', 'para'].flatMap(name =>
    readFileSync(new URL(`../fixtures/recordings/${name}.partial.raw`, import.meta.url), 'utf8')
      .split('\n')
      .filter(line => /^\{"type":"(stream_event|assistant|user)"/.test(line)),
  )
  const turns = Math.ceil((seconds * eventsPerSecond) / turn.length)
  const text = `${turn.join('\n')}\n`
  // Each repetition has its own message and tool ids.
  const texts = Array.from({ length: turns }, (_, at) => text.replaceAll(/\b(?:msg|toolu)_\w+/g, id => `${id}_${at}`))
  writeFileSync(path, texts.join(''))
  return path
}

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
