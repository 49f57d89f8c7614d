import { describe, expect, it } from 'vitest'
import { day, oldHome } from '../retention/old-home.ts'
import { sharedTestDaemon, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'
import { jsonLines, muxd } from './muxd.ts'
import { until } from '../support/until.ts'

const shared = sharedTestDaemon()
/** A daemon and the command line that calls it. The default is the shared daemon. */
const commandLine = ({ home, info }: TestDaemon = shared()) => ({
  home,
  info,
  call: (...argv: string[]) => muxd([...argv, '--home', home]),
})

/** Lasts longer than the steps of a test, at the hundredfold speed of the tests. */
const slow = 'sim:slow delayMs=5000 words=10000'

const lastOf = <T>(items: T[]): T => items.at(-1)!

describe('muxd run', () => {
  it('prints only the answer on standard output, and everything else on standard error', async () => {
    const { call } = commandLine()
    const { code, stdout, stderr } = await call('run', 'sim:tools takesMs=1').ended
    expect(code).toBe(0)
    expect(stdout).toMatch(/^I will read a file first\.\n\n/)
    expect(stdout).toMatch(/[^\n]\n$/)
    expect(stderr).toMatch(/^r_\S+ {2}s_\S+\nmuxd-simulator\n/)
    expect(stderr).toContain('◌ Bash npm test\n✓ Bash npm test')
    expect(stderr).toMatch(/✗ Bash false .*\n✓ done .* \$0\.\d+ · [\d,]+ tokens in, \d+ out\n$/)
  })

  it('prints only protocol events with --json, each once', async () => {
    const { home, info, call } = commandLine()
    const { code, stdout, stderr } = await call('run', '--json', 'sim:text').ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const events = jsonLines(stdout)
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
    expect(events[0]).toMatchObject({ type: 'run_queued', prompt: 'sim:text' })
    expect(lastOf(events)).toMatchObject({ type: 'done' })
    const again = await muxd([
      'attach',
      events[0]!['run'] as string,
      '--json',
      '--url',
      info.url,
      '--token',
      info.token,
    ]).ended
    expect(again).toEqual({ code: 0, stdout, stderr: '' })
    expect(home).toBeTruthy()
  })

  it('prints no control or invisible characters, as text or as JSON', async () => {
    const { call } = commandLine()
    const hostile = 'x\u001b[2J\u009b1A\u007f\u202e\u061c\u200b\u{e0041}y'
    const said = await call('run', '--title', hostile, `sim:text ${hostile}`).ended
    const listed = await call('ls', '--json').ended
    const others = [await call('ls').ended, await call('logs').ended, await call('logs', '--json').ended]
    for (const { stdout, stderr } of [said, listed, ...others]) {
      // oxlint-disable-next-line no-control-regex
      expect(stdout + stderr).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e\u061c\u200b\u{e0041}]/u)
    }
    expect(said.stdout).toContain('x[2J1Ay')
    expect(jsonLines(listed.stdout)[0]).toMatchObject({ title: hostile })
  })

  it('takes the prompt from standard input, and after -- one that looks like an option', async () => {
    const { home } = commandLine()
    const prompt = 'two\nlines'
    for (const argv of [['run'], ['run', '-']]) {
      const { stdout } = await muxd([...argv, '--json', '--home', home], { input: prompt }).ended
      expect(jsonLines(stdout)[0]).toMatchObject({ prompt })
    }
    const { stdout } = await muxd(['run', '--json', '--home', home, '--', '--version']).ended
    expect(jsonLines(stdout)[0]).toMatchObject({ prompt: '--version' })
  })

  it('continues a session with --session', async () => {
    const { call } = commandLine()
    await call('run', 'sim:text my first').ended
    const [session] = jsonLines((await call('ls', '--json').ended).stdout)
    const { stdout } = await call('run', '--session', session!['session'] as string, 'sim:history').ended
    expect(stdout).toContain('my first')
  })

  it('fails with exit code 1 and says why', async () => {
    const { call } = commandLine()
    const { code, stderr } = await call('run', 'sim:crash').ended
    expect(code).toBe(1)
    expect(stderr).toMatch(/✗ failed: .*\n {2}See the detail, then run it again\n/)
    const [session] = jsonLines((await call('ls', '--json').ended).stdout)
    const shown = await call('show', session!['session'] as string).ended
    expect(shown.stdout).toContain('\nSee the detail, then run it again\n')
  })

  it.each([
    ['an empty prompt', ['run', ' '], 'the prompt is empty'],
    ['a missing directory', ['run', 'x', '-C', '/nonexistent'], 'muxd: -C: "/nonexistent" does not exist\n'],
    ['an unknown mode', ['run', 'x', '--permission-mode', 'yolo'], 'default, acceptEdits, plan, auto, dontAsk'],
    ['an invalid duration', ['wait', 'r_1', '--timeout', 'soon'], 'a duration such as 90s, 10m or 1h30m'],
  ])('%s is a usage error', async (_, argv, message) => {
    const { call } = commandLine()
    const { code, stdout, stderr } = await call(...argv).ended
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(message)
  })

  it('is cancelled by Ctrl-C and exits with 130', async () => {
    const { call } = commandLine()
    const run = call('run', slow)
    await until(() => expect(run.stdout()).not.toBe(''))
    run.interrupt()
    const { code, stderr } = await run.ended
    expect(code).toBe(130)
    expect(stderr).toContain('cancelling; Ctrl-C again to kill it\n')
    expect(stderr).toMatch(/■ cancelled by \S+@\S+(?: \(\S+\))?: Ctrl-C/)
  })

  it('is killed by a second Ctrl-C when the first has no effect', async () => {
    const { call } = commandLine()
    const run = call('run', 'sim:hang ignore=interrupt,int,term')
    await until(() => expect(run.stdout()).not.toBe(''))
    run.interrupt()
    await until(() => expect(run.stderr()).toContain('cancel requested'))
    run.interrupt()
    const { code, stderr } = await run.ended
    expect(code).toBe(130)
    expect(stderr).toContain('kill requested')
  })

  it('returns at once with --detach, and attach, wait, cancel and show take its id', async () => {
    const { call } = commandLine()
    const { code, stdout } = await call('run', '--detach', slow).ended
    const id = stdout.trim()
    expect(code).toBe(0)
    expect(id).toMatch(/^r_\S+$/)
    const watching = call('attach', id, '--json')
    const waiting = call('wait', id, '--json')
    await until(() => expect(watching.stdout()).toContain('assistant_text'))
    const cancelled = await call('cancel', id, '--reason', 'not needed', '--json').ended
    expect(jsonLines(cancelled.stdout)).toMatchObject([{ run: id }])
    const seen = await watching.ended
    expect(seen.code).toBe(130)
    expect(lastOf(jsonLines(seen.stdout))).toMatchObject({ type: 'cancelled', reason: 'not needed' })
    const waited = await waiting.ended
    expect(waited.code).toBe(130)
    expect(jsonLines(waited.stdout)).toMatchObject([{ run: id, state: 'cancelled' }])
    const shown = await call('show', id).ended
    expect(shown.stdout).toContain(`› ${slow}`)
    const record = await call('show', id, '--json').ended
    expect(jsonLines(record.stdout)).toEqual(jsonLines(waited.stdout))
  })

  it('is shown with its pending approval and the commands that answer it', async () => {
    const { call } = commandLine()
    const id = (await call('run', '--detach', 'sim:permission').ended).stdout.trim()
    await until(async () => expect((await call('show', id).ended).stdout).toContain('waits: approval'))
    const { stdout } = await call('show', id).ended
    expect(stdout).toMatch(/^Claude Code asks: Write /m)
    expect(stdout).toMatch(/^ .*muxd approve a_/m)
    await call('cancel', '--kill', id).ended
    await call('wait', id).ended
    expect((await call('show', id).ended).stdout).not.toContain('asks')
  })

  it('continues when its output is closed', async () => {
    const { call } = commandLine()
    const run = call('run', '--json', 'sim:text delayMs=5000')
    await until(() => expect(run.stdout()).not.toBe(''))
    const { run: id } = jsonLines(run.stdout())[0]!
    run.closeStdout()
    expect(await run.ended).toMatchObject({
      code: 0,
      stderr: `muxd: the output was closed; the run goes on: muxd attach ${String(id)}\n`,
    })
    expect((await call('wait', id as string).ended).code).toBe(0)
  })
})

describe('muxd attach', () => {
  it('starts at the seq given with --from', async () => {
    const { call } = commandLine()
    const all = jsonLines((await call('run', '--json', 'sim:text').ended).stdout)
    const { run } = all[0]!
    const { stdout } = await call('attach', run as string, '--json', '--from', '4').ended
    expect(jsonLines(stdout)).toEqual(all.slice(3))
  })

  it('follows a session over several runs until Ctrl-C, which does not end the run', async () => {
    const { call } = commandLine()
    const first = jsonLines((await call('run', '--json', 'sim:text').ended).stdout)
    const [{ session }] = jsonLines((await call('ls', '--json').ended).stdout) as [{ session: string }]
    const watching = call('attach', session, '--json')
    await until(() => expect(jsonLines(watching.stdout())).toEqual(first))
    const run = call('run', '--session', session, slow)
    await until(() => expect(jsonLines(watching.stdout()).length).toBeGreaterThan(first.length + 5), {
      timeout: 10_000,
    })
    watching.interrupt()
    expect((await watching.ended).code).toBe(0)
    const [{ lastRun }] = jsonLines((await call('ls', '--json').ended).stdout) as [{ lastRun: string }]
    expect((await call('wait', lastRun, '--timeout', '0.1').ended).code).toBe(124)
    run.interrupt()
    await run.ended
  })

  it('fails for an unknown run, as text and as JSON', async () => {
    const { call } = commandLine()
    const plain = await call('attach', 'r_none').ended
    expect(plain).toMatchObject({ code: 1, stdout: '', stderr: 'muxd: there is no run r_none\n' })
    const json = await call('attach', 'r_none', '--json').ended
    expect(json).toMatchObject({ code: 1, stdout: '' })
    expect(jsonLines(json.stderr)).toMatchObject([{ error: { code: -32004, data: { kind: 'not_found' } } }])
  })
})

it('an observe token can list sessions, but not run a prompt', async () => {
  const { info } = commandLine()
  const call = (...argv: string[]) => muxd([...argv, '--url', info.url, '--token', info.observeToken]).ended
  expect(await call('ls')).toMatchObject({ code: 0 })
  expect(await call('run', 'x')).toMatchObject({ code: 1, stdout: '' })
})

it('a wrong token fails with exit code 3', async () => {
  const { info } = commandLine()
  const { code, stderr } = await muxd(['ls', '--url', info.url, '--token', 'wrong']).ended
  expect(code).toBe(3)
  expect(stderr).toContain('this token is wrong')
})

it('a missing claude fails with exit code 3 and one line that says what to do', async () => {
  const { home } = await startTestDaemon({ argv: ['--claude-bin', '/nonexistent/claude'] })
  const { code, stdout, stderr } = await muxd(['run', 'x', '--home', home]).ended
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
  expect(stderr).toBe(
    'muxd: Claude Code was not found: /nonexistent/claude does not exist; to install it: npm install -g @anthropic-ai/claude-code (or set MUXD_CLAUDE_BIN, --claude-bin); to try muxd without it: muxd restart --simulate\n',
  )
})

it('status prints the pid and the URL, as text and as JSON', async () => {
  const { info, call } = commandLine()
  const { stdout } = await call('status').ended
  expect(stdout).toContain(`pid ${info.pid}`)
  expect(stdout).toContain(info.url)
  expect(jsonLines((await call('status', '--json').ended).stdout)).toMatchObject([{ pid: info.pid, url: info.url }])
})

it('doctor reports a missing claude of the running daemon, with a fix', async () => {
  // The check concerns the `claude` of the running daemon, not the one of doctor's own environment.
  const { home } = await startTestDaemon({ argv: ['--claude-bin', '/nonexistent/claude'] })
  const bad = await muxd(['doctor', '--json', '--home', home], { env: { MUXD_CLAUDE_BIN: process.execPath } }).ended
  expect(bad.code).toBe(3)
  const [{ ok, checks }] = jsonLines(bad.stdout) as [
    { ok: boolean; checks: { name: string; ok: boolean; fix?: string }[] },
  ]
  expect(ok).toBe(false)
  expect(checks.filter(check => !check.ok).map(({ name, fix }) => [name, Boolean(fix)])).toEqual([['claude', true]])
})

it('usage prints what runs have cost, as text and as JSON', async () => {
  const { call } = commandLine(await startTestDaemon())
  expect((await call('usage').ended).stdout).toBe('nothing was used\n')
  const [first] = jsonLines((await call('run', '--json', 'sim:text').ended).stdout)
  const { stdout } = await call('usage').ended
  expect(stdout).toMatch(
    /^DAY +MODEL +RUNS +COST .*\n\d{4}-\d\d-\d\d +muxd-simulator +1 +\$0\.\d+ .*\ntotal +1 +\$0\.\d+ .*\n$/,
  )
  const run = first!['run'] as string
  const byRun = jsonLines((await call('usage', '--by', 'run', '--days', '1', '--json').ended).stdout)
  expect(byRun).toMatchObject([{ rows: [{ run, runs: 1 }], more: 0, total: { runs: 1 } }])
  expect((await call('usage', '--session', 's_none').ended).stdout).toBe('nothing was used\n')
})

it('ls --json prints one record a line, newest first', async () => {
  const { call } = commandLine(await startTestDaemon())
  for (const prompt of ['sim:text one', 'sim:text two']) await call('run', prompt).ended
  const { stdout, stderr } = await call('ls', '--json').ended
  const sessions = jsonLines(stdout)
  expect(stderr).toBe('')
  expect(sessions).toHaveLength(2)
  const table = (await call('ls').ended).stdout.split('\n')
  expect(table[1]).toContain('sim:text two')
  expect(table[1]).toContain(sessions[0]!['session'])
  expect(jsonLines((await call('ls', '--json', '-n', '1').ended).stdout)).toEqual([sessions[0]])
})

it('gc says that there is nothing to delete, as text and as JSON', async () => {
  const home = oldHome([
    { id: 's_unused', unusedMs: 2 * day, lines: [200] },
    { id: 's_new', unusedMs: 60_000 },
  ])
  await startTestDaemon({ home, config: { rawLogs: 'keep', keepSessionsMs: 0 } })
  const call = (...argv: string[]) => muxd(['gc', ...argv, '--home', home]).ended
  expect(await call('--dry-run')).toEqual({ code: 0, stdout: 'nothing would go\n', stderr: '' })
  expect(jsonLines((await call('--json')).stdout)).toMatchObject([{ dryRun: false, sessions: [], freedBytes: 0 }])
})

it('gc --dry-run prints what would be deleted and deletes nothing, and gc prints and deletes just that', async () => {
  const config = { keepSessionsMs: 1_000, rawLogAfterMs: 0, idleCloseMs: 0, keepTotalBytes: 0 }
  const { call } = commandLine(await startTestDaemon({ config }))
  await call('run', 'sim:text').ended
  const planned = await until(async () => {
    const { stdout } = await call('gc', '--dry-run').ended
    expect(stdout).toMatch(/^ACTION .*\ndelete {2}s_\S+ .* unused for too long\n\S+ \S+ would be freed\n$/)
    return stdout
  })
  const listed = jsonLines((await call('ls', '--json').ended).stdout)
  expect(planned).toContain(listed[0]!['session'])
  expect((await call('gc').ended).stdout).toBe(planned.replace(' would be freed', ' freed'))
  expect((await call('ls', '--json').ended).stdout).toBe('')
})

describe('muxd ls', () => {
  it('prints the whole list, and nothing on standard error', async () => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    for (let count = 0; count < 12; count++) await peer.call('session.create', { cwd: tempDir() })
    const { call } = commandLine(daemon)
    const { code, stdout, stderr } = await call('ls').ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.trim().split('\n')).toHaveLength(13)
  })
})
