import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import type { Approval, Run, Session } from '../../protocol/index.ts'
import { describeWithPages } from '../client/chromium.ts'
import { conversation, create, get, open, say, start } from '../support/conversations.ts'
import type { TestDaemon } from '../support/daemon.ts'
import type { RpcPeer } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { openWorkspace } from './page.ts'

/** Opens a page with the pane of a session, which has the focus. */
async function openPane(page: Page, { info }: TestDaemon, { title }: Session, role: 'control' | 'observe' = 'control') {
  await openWorkspace(page, { info, role })
  await page.getByRole('option', { name: title }).click()
  await page.getByRole('tab', { name: title, selected: true }).waitFor()
}

/** Runs the first command that the palette finds. */
async function command(page: Page, words: string) {
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox', { name: 'Command' }).fill(words)
  await page.keyboard.press('Enter')
}

const sees = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor()
const prompt = (page: Page) => page.getByRole('textbox', { name: 'Prompt' })
const runWith = (peer: RpcPeer, { session }: Session, text: string, limits: object) =>
  peer.call<Run>('run.start', { session, prompt: text, limits })

/** Returns the queued prompts in the daemon's order. */
async function queueOf(peer: RpcPeer, { session }: Session): Promise<string[]> {
  const { runs } = await peer.call<{ runs: Run[] }>('run.list', { session, state: 'queued' })
  return runs.sort((one, two) => one.position! - two.position!).map(run => run.prompt)
}

describeWithPages('a session in the workspace', newPage => {
  it('has its queue reordered by keys, and shows what each run waits for and its limits', async () => {
    const [daemon, peer] = await open()
    const session = await create(peer, { title: 'queues' })
    await runWith(peer, session, 'sim:hang at=tool', { timeoutMs: 600_000 })
    await runWith(peer, session, 'sim:text two', { maxTurns: 3 })
    await start(peer, session, 'sim:text three')
    const page = await newPage()
    await openPane(page, daemon, session)
    const rows = page.getByRole('list', { name: 'Queued prompts' }).getByRole('listitem')
    await rows.getByText('waits for its turn, at most 3 turns').waitFor()
    await page.locator('.run-status-bar').getByText('at most 10 min').waitFor()
    await rows.nth(1).focus()
    await page.keyboard.press('Shift+ArrowUp')
    await until(async () => expect(await queueOf(peer, session)).toEqual(['sim:text three', 'sim:text two']))
    const focused = () => page.evaluate(() => document.activeElement?.textContent)
    await until(async () => {
      expect(await rows.allInnerTexts()).toEqual([expect.stringContaining('three'), expect.stringContaining('two')])
      expect(await focused()).toContain('three')
    })
    // The row is already the first, so it stays.
    await page.keyboard.press('Shift+ArrowUp')
    await page.keyboard.press('ArrowDown')
    expect(await focused()).toContain('two')
    await page.getByRole('button', { name: 'Move “sim:text three” down' }).press('Enter')
    await until(async () => expect(await queueOf(peer, session)).toEqual(['sim:text two', 'sim:text three']))
    await until(async () => expect(await focused()).toContain('three'))
    await page.keyboard.press('Delete')
    await until(async () => expect(await queueOf(peer, session)).toEqual(['sim:text two']))
    await until(async () => expect(await rows.count()).toBe(1))
    expect(await focused()).toContain('two')
    // The status bar says how long the run has been quiet, and does not interpret it.
    await page.locator('.run-status-bar').getByText('quiet for').waitFor()
  })

  it('shows that a queued run waits for a free slot', async () => {
    const [daemon, peer] = await open(undefined, { config: { maxRuns: 1 } })
    await start(peer, await create(peer, { title: 'busy' }), 'sim:hang at=text')
    const session = await create(peer, { title: 'waits' })
    await start(peer, session, 'sim:text late')
    const page = await newPage()
    await openPane(page, daemon, session)
    await sees(page, 'Queued, waits for a free slot')
  })

  it.each([
    ['sim:hang at=text', { timeoutMs: 1_000 }, /The run has gone on for 1\.0 s, the run’s limit/],
    ['sim:hang at=text', { inactivityMs: 1_000 }, /Claude Code has printed nothing for 1\.0 s, the run’s limit/],
    ['sim:loop rounds=20 takesMs=1', { maxTurns: 2 }, /Failed: .*turns/],
  ])('shows why a run ended: %s with %o', async (text, limits, why) => {
    const [daemon, peer] = await open()
    const session = await create(peer, { title: 'limited' })
    const page = await newPage()
    await openPane(page, daemon, session)
    await runWith(peer, session, text, limits)
    await page.locator('.end[data-end="failed"]').waitFor()
    await sees(page, why)
  })

  it('keeps an unsent prompt over a reload until it is sent', async () => {
    const [daemon, peer] = await open()
    const [one, other] = [await create(peer, { title: 'one' }), await create(peer, { title: 'other' })]
    const page = await newPage()
    await openPane(page, daemon, one)
    await prompt(page).fill('sim:text begun')
    const layout = async () => JSON.stringify(await peer.call('workspace.get', { workspace: 'main' }))
    await until(async () => expect(await layout()).toContain(one.session))
    await page.reload()
    await until(async () => expect(await prompt(page).inputValue()).toBe('sim:text begun'))
    await page.getByRole('option', { name: other.title }).click()
    await page.getByRole('tab', { name: other.title, selected: true }).waitFor()
    await until(async () => expect(await prompt(page).inputValue()).toBe(''))
    await page.getByRole('tab', { name: one.title }).click()
    await prompt(page).press('Enter')
    await page.locator('.end').waitFor()
    await page.reload()
    await page.locator('.end').waitFor()
    expect(await prompt(page).inputValue()).toBe('')
  })

  it('is renamed, changed, forked and closed', async () => {
    const [daemon, peer] = await open()
    const session = await create(peer, { title: 'first name', labels: { team: 'core' } })
    await say(peer, session, 'sim:text said')
    const page = await newPage()
    await openPane(page, daemon, session)
    await command(page, 'rename this session')
    const dialog = page.getByRole('dialog', { name: 'Rename the session' })
    await dialog.getByLabel('Title').fill('second name')
    await dialog.getByLabel(/Labels/).fill('team=web\nurgent')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('tab', { name: 'second name' }).waitFor()
    await sees(page, 'Chrome on Linux named the session “second name”, set the labels team=web, urgent')
    expect(await get(peer, session)).toMatchObject({ title: 'second name', labels: { team: 'web', urgent: '' } })

    await page.getByRole('combobox', { name: 'Permission mode' }).selectOption('plan')
    await sees(page, 'Chrome on Linux chose the permission mode plan')
    expect(await page.getByText('Permission mode is now').count()).toBe(0)

    await command(page, 'fork this session')
    await sees(page, `Chrome on Linux forked this session from ${session.session}`)
    expect(await page.getByRole('tab', { name: 'second name' }).count()).toBe(2)

    await start(peer, session, 'sim:hang at=text')
    await page.locator('.conversation .run-status-bar').getByText('Running').waitFor()
    await page.getByRole('tab').filter({ hasText: 'running:' }).click()
    await command(page, 'close this session')
    const question = page.getByRole('dialog', { name: 'Close the session' })
    await question.getByText('A run has not ended').waitFor()
    // Keeping it is the default.
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Keep it')
    await page.keyboard.press('Enter')
    await question.waitFor({ state: 'hidden' })
    expect((await get(peer, session)).state).toBe('running')
    await command(page, 'close this session')
    await question.getByRole('button', { name: 'Close it' }).click()
    await page.locator('.end').getByText('the session was ended').waitFor()
    await until(async () => expect((await get(peer, session)).state).toBe('closed'))
  })

  it('imports a conversation that was begun elsewhere', async () => {
    const cwd = tempDir()
    const [daemon, peer, user] = await open()
    await conversation(user, cwd, 'sim:text said elsewhere')
    const page = await newPage()
    await openWorkspace(page, daemon)
    await sees(page, 'No session yet')
    await command(page, 'import a conversation')
    const dialog = page.getByRole('dialog', { name: 'Import a conversation' })
    await dialog.getByLabel('Directory').fill(cwd)
    await page.keyboard.press('Enter')
    await dialog.getByText('sim:text said elsewhere').waitFor()
    await dialog.getByRole('button', { name: 'Import' }).click()
    await sees(page, 'Chrome on Linux took up a conversation that was begun elsewhere')
    await command(page, 'import a conversation')
    await dialog.getByRole('button', { name: 'Look' }).click()
    // The conversation is a session here now, so the dialog offers to open it.
    await dialog.getByRole('button', { name: 'Open' }).click()
    await dialog.waitFor({ state: 'hidden' })
    expect((await peer.call<{ sessions: Session[] }>('session.list')).sessions).toHaveLength(1)
  })

  it('cannot be changed by an observer', async () => {
    const [daemon, peer] = await open()
    const session = await create(peer, { title: 'watched' })
    await start(peer, session, 'sim:hang at=text')
    await start(peer, session, 'sim:text later')
    const page = await newPage()
    await openPane(page, daemon, session, 'observe')
    const row = page.getByRole('list', { name: 'Queued prompts' }).getByRole('listitem')
    await row.focus()
    expect(await row.getByRole('button').count()).toBe(0)
    await page.keyboard.press('Delete')
    await page.keyboard.press('Control+k')
    for (const words of ['fork this', 'rename this', 'close this session', 'import a']) {
      await page.getByRole('combobox', { name: 'Command' }).fill(words)
      expect(await page.getByRole('option', { name: new RegExp(words, 'i') }).count()).toBe(0)
    }
    expect(await queueOf(peer, session)).toEqual(['sim:text later'])
  })

  it('has an approval allowed with a changed input, and shows the outcome', async () => {
    const [daemon, peer] = await open()
    const session = await create(peer, { title: 'asks', approvals: { expiresAfterMs: 600_000 } })
    const page = await newPage()
    await openPane(page, daemon, session)
    await start(peer, session, 'sim:permission')
    const approval = page.locator('.approval')
    await approval.getByText(/\d min.* left/).waitFor()
    await approval.getByRole('button', { name: 'Change input' }).click()
    const input = approval.getByRole('textbox', { name: /tool.s input/ })
    const given = JSON.parse(await input.inputValue()) as object
    await input.fill('no object')
    await approval.getByRole('button', { name: 'Allow' }).click()
    await approval.getByText('The input has to be a JSON object').waitFor()
    await input.fill(JSON.stringify({ ...given, content: 'another text' }))
    await approval.getByRole('button', { name: 'Allow' }).click()
    await approval.getByText('Allowed by Chrome on Linux').waitFor()
    const { approvals } = await peer.call<{ approvals: Approval[] }>('approval.list', { state: 'resolved' })
    expect(approvals).toMatchObject([{ decision: 'allow', by: { name: 'Chrome on Linux' } }])
    await sees(page, 'another text')
  })

  it('offers the slash commands of its current process', async () => {
    const named = join(tempDir(), 'command')
    const claude = join(tempDir(), 'claude')
    const simulator = new URL('../../dist/simulator.js', import.meta.url).pathname
    writeFileSync(
      claude,
      `#!/bin/sh\nname=$(cat '${named}')\n'${process.execPath}' '${simulator}' "$@" | sed -u "s/\\"name\\":\\"clear\\"/\\"name\\":\\"$name\\"/"\n`,
    )
    chmodSync(claude, 0o755)
    writeFileSync(named, 'older')
    const [daemon, peer] = await open(undefined, { argv: ['--claude-bin', claude] })
    const session = await create(peer, { title: 'commands' })
    await say(peer, session, 'sim:text one')
    const page = await newPage()
    await openPane(page, daemon, session)
    await prompt(page).fill('/')
    await page.getByRole('option', { name: '/older' }).waitFor()
    await peer.call('session.close', { session: session.session })
    writeFileSync(named, 'newer')
    await say(peer, session, 'sim:text two')
    await prompt(page).fill('/n')
    await page.getByRole('option', { name: '/newer' }).waitFor()
    await page.reload()
    await prompt(page).fill('/n')
    await page.getByRole('option', { name: '/newer' }).waitFor()
  })
})
