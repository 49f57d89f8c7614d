import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { expect, it, onTestFinished } from 'vitest'
import type { Mux } from '../../client/sdk/index.ts'
import { openSqlite } from '../../daemon/store/sqlite/sqlite.ts'
import { describeWithPages } from '../client/chromium.ts'
import { connectForTest } from '../client/harness.ts'
import { startTestDaemon, tempHome } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { openWorkspace, tab } from '../workspace/page.ts'
import { simulatorFor } from './claude.ts'
import { fixesTest, reviews } from './conversations.ts'
import { withPalette } from './png.ts'
import { recordingOf } from './recording.ts'

/** `npm run screenshots` renders the pictures of README and docs/workspace.md with the simulator. */
const images = fileURLToPath(new URL('../../docs/images/', import.meta.url))
const projects = '/tmp/projects'
const desktop = { width: 1_280, height: 800 }

describeWithPages('pictures of the page', newPage => {
  it('with work going on', async () => {
    const { info, mux } = await startWork()
    const page = await newPage({ apart: true })
    await page.setViewportSize(desktop)
    await page.emulateMedia({ colorScheme: 'light' })
    await openWorkspace(page, { info })

    const ids = await sessionIds(mux)
    const pane = (title: string, share: number) => ({
      share,
      tabs: [`session/${ids[title]}`],
      shown: `session/${ids[title]}`,
    })
    const sessions = { share: 0.25, tabs: ['sessions'], shown: 'sessions' }
    const lay = (...places: object[]) =>
      mux.api.workspace.save({ workspace: 'main', layout: { version: 1, root: { share: 1, split: 'row', places } } })
    await lay(sessions, pane('Fix the flaky test', 0.41), pane('Review the API', 0.34))
    await page.locator('.end[data-end="done"]').nth(1).waitFor()
    await page.getByText('212 passed').nth(1).waitFor()
    await shoot(page, 'panes')
    await page.emulateMedia({ colorScheme: 'dark' })
    await shoot(page, 'dark')
    await page.emulateMedia({ colorScheme: 'light' })
    const inbox = { share: 0.35, tabs: ['approvals', 'usage', 'daemon'], shown: 'approvals' }
    await lay(sessions, pane('Release 2.4', 0.4), inbox)
    await page.getByText('2 questions wait').waitFor()
    await page.locator('.conversation .answering').waitFor()
    await shoot(page, 'approval')

    await page.setViewportSize({ width: 860, height: 560 })
    await lay({ share: 1, tabs: ['usage'], shown: 'usage' })
    await page.locator('.figure').first().waitFor()
    await shoot(page, 'usage')
    await page.setViewportSize({ width: 390, height: 720 })
    await lay(pane('Release 2.4', 1))
    await page.locator('.conversation .answering').waitFor()
    await shoot(page, 'phone')
  })

  it('at the first start', async () => {
    const { info } = await startTestDaemon()
    const page = await newPage({ apart: true })
    await page.setViewportSize({ width: 1_000, height: 600 })
    await openWorkspace(page, { info })
    await tab(page, 'Approvals').waitFor()
    await page.getByText('No session yet').waitFor()
    await shoot(page, 'first-start')
  })
})

async function shoot(page: Page, name: string): Promise<void> {
  // No picture shows the pointer's hover, the focus, or something that moves.
  await page.mouse.move(0, 0)
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur())
  await page.waitForTimeout(500)
  const png = withPalette(await page.screenshot({ animations: 'disabled', caret: 'hide' }))
  expect(png.length, name).toBeLessThan(120_000)
  writeFileSync(`${images}${name}.png`, png)
}

const sessionIds = async (mux: Mux): Promise<Record<string, string>> =>
  Object.fromEntries((await mux.api.session.list({})).sessions.map(({ title, session }) => [title, session]))

/** Starts a daemon with some days of usage, and with sessions that have ended, go on, or wait for an answer. */
async function startWork() {
  const directory = tempDir()
  const record = (name: string, ...recording: Parameters<typeof recordingOf>) => {
    const file = join(directory, name)
    writeFileSync(file, recordingOf(...recording))
    return `sim:replay recording=${file}`
  }
  const prompts = {
    'The test of the parser fails now and then. Find out why and fix it.': record('fix', fixesTest, {
      costUsd: 0.0841,
      input: 18_204,
      output: 1_032,
    }),
    'Review the API for input that nobody checks.': record('review', reviews, {
      costUsd: 0.1312,
      input: 31_870,
      output: 1_544,
    }),
    'Tag version 2.4 and publish it.': 'sim:permission command=\\\\"git push --tags\\\\"',
    'Rewrite the installation guide.': 'sim:hang at=text',
    'Which of the two caches shall stay?': 'sim:question options=Redis,In-memory Which cache shall stay?',
  }
  const home = tempHome()
  const claude = simulatorFor(directory, prompts)
  const start = () => startTestDaemon({ home, argv: [], env: { MUXD_CLAUDE_BIN: claude, MUXD_SIMULATOR_SPEED: '1' } })
  await (await start()).stop()
  addUsage(join(home, 'muxd.db'))
  const { info } = await start()
  const mux = await connectForTest({ home, client: { name: 'Ann', version: '1' } })
  const [fix, review, release, guide, caches] = Object.keys(prompts) as [string, string, string, string, string]
  const run = (prompt: string, title: string, project: string, labels: Record<string, string> = {}) => {
    const cwd = join(projects, project)
    mkdirSync(cwd, { recursive: true })
    onTestFinished(() => rmSync(projects, { recursive: true, force: true }))
    return mux.run({ prompt, title, cwd, labels })
  }
  await (await run(review, 'Review the API', 'shop', { team: 'orders' })).wait()
  await (await run(fix, 'Fix the flaky test', 'parser')).wait()
  await run(guide, 'Installation guide', 'docs')
  await run(caches, 'Two caches', 'shop')
  await run(release, 'Release 2.4', 'parser')
  await until(async () => expect((await mux.api.approval.list({})).approvals).toHaveLength(2))
  return { info, mux }
}

const dayMs = 86_400_000

function addUsage(file: string): void {
  const database = openSqlite(file)
  const insert = database.prepare<[number, string, number, number, number, number, number]>(
    `INSERT INTO usage (place, model, time, session, run, cost_usd, input, output, cache_creation, cache_read)
     VALUES (?, ?, ?, 's_earlier', 'r_earlier', ?, ?, ?, 0, ?)`,
  )
  const models = ['claude-opus-5-5', 'claude-sonnet-5-5', 'claude-haiku-5-5']
  for (let day = 1; day < 30; day++) {
    // Less at weekends, and a little different each day.
    const busy = day % 7 < 2 ? 0.15 : 0.6 + ((day * 37) % 50) / 100
    for (const [index, name] of models.entries()) {
      const cost = busy * [4.1, 1.7, 0.3][index]!
      const values = [cost, cost * 9_000, cost * 3_000, cost * 160_000].map((value, at) =>
        at ? Math.round(value) : value,
      )
      insert.run(day, name, Date.now() - day * dayMs, ...(values as [number, number, number, number]))
    }
  }
  database.close()
}
