import { describe, expect, it } from 'vitest'
import type { Approval } from '../../protocol/index.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { until } from '../support/until.ts'
import { jsonLines, muxd } from './muxd.ts'
import { muxdInTerminal } from './muxd-in-terminal.ts'

const daemonForTest = async () => {
  const { home } = await startTestDaemon()
  const call = (...argv: string[]) => muxd([...argv, '--home', home])
  const inTerminal = (...argv: string[]) => muxdInTerminal([...argv, '--home', home], { NO_COLOR: '1' })
  const pending = () =>
    until(async () => {
      const found = jsonLines((await call('approvals', '--json').ended).stdout)
      expect(found).toHaveLength(1)
      return found[0] as unknown as Approval
    })
  return { home, call, inTerminal, pending }
}
const prompt = 'Allow it? y, n, n REASON, a (always): '

describe('approvals on a terminal', () => {
  it('run shows an approval in full and accepts y and a', async () => {
    const { inTerminal } = await daemonForTest()
    const terminal = inTerminal('run', 'sim:permission tools=3')
    const asked = (times: number) => until(() => expect(terminal.screen().split(prompt)).toHaveLength(times + 1))
    await asked(1)
    expect(terminal.screen()).toMatch(/\? Write needs permission\r\n.*simulated\.txt\r\n {2}\+ written by nobody/)
    expect(terminal.screen()).toContain('  always: mode acceptEdits\r\n')
    terminal.press('y\r')
    await asked(2)
    terminal.press('a\r')
    const { code, screen } = await terminal.ended()
    expect(code).toBe(0)
    expect(screen).toMatch(/✓ Write \S+simulated\.txt: allowed by \S+@\S+(?: \(\S+\))?/)
    expect(screen).toMatch(/It was allowed: .*3-simulated\.txt/s)
    expect(screen.split(prompt)).toHaveLength(3)
  })

  it('a denial can carry a reason, which Claude Code receives', async () => {
    const { inTerminal } = await daemonForTest()
    const terminal = inTerminal('run', 'sim:permission')
    await until(() => expect(terminal.screen()).toContain(prompt))
    terminal.press('ok\r')
    await until(() => expect(terminal.screen()).toContain('"ok" is no answer: y, n, n REASON'))
    terminal.press('n not in this directory\r')
    const { screen } = await terminal.ended()
    expect(screen).toMatch(/✗ Write \S+: denied by \S+@\S+(?: \(\S+\))?: not/)
    expect(screen).toContain('It was not allowed: not in this directory.')
  })

  it('a question is answered by option numbers, a plan by y', async () => {
    const { inTerminal } = await daemonForTest()
    const choice = inTerminal('run', 'sim:question multi=true Which way?')
    await until(() => expect(choice.screen()).toContain('1-3 (1,2: several), your own words, or n (no answer): '))
    expect(choice.screen()).toContain('  Which way?\r\n  1 Red: The option Red\r\n')
    choice.press('1,3\r')
    expect((await choice.ended()).screen).toContain('You answered: {"Which way?":"Red, Blue"}')
    const plan = inTerminal('run', 'sim:plan')
    await until(() => expect(plan.screen()).toContain('Go on with it? y, n, n CHANGES: '))
    expect(plan.screen()).toContain('  2. Pretend to change.\r\n')
    plan.press('y\r')
    expect((await plan.ended()).screen).toContain('I go on with the simulated plan.')
  })

  it('an answer of another client clears the prompt and is printed, and the next approval is asked', async () => {
    const { call, inTerminal, pending } = await daemonForTest()
    const terminal = inTerminal('run', 'sim:permission tools=2')
    await until(() => expect(terminal.screen()).toContain(prompt))
    terminal.press('half a line')
    await until(() => expect(terminal.screen()).toContain('half a line'))
    expect((await call('approve', (await pending()).approval).ended).code).toBe(0)
    await until(() => expect(terminal.screen().split(prompt)).toHaveLength(3))
    const rest = terminal.screen().split('half a line').at(-1)!
    // The prompt is cleared from its first column on before the outcome is printed.
    // oxlint-disable-next-line no-control-regex
    expect(rest).toMatch(/^(?:\u001b\[\d+A)?\u001b\[1G\u001b\[0J/)
    expect(rest).toMatch(/✓ Write \S+simulated.txt: allowed by \S+@\S+(?: \(\S+\))?/)
    terminal.press('y\r')
    expect((await terminal.ended()).code).toBe(0)
  })

  it('input typed before the prompt does not answer it', async () => {
    const { inTerminal, pending } = await daemonForTest()
    const terminal = inTerminal('run', 'sim:permission')
    terminal.press('y\r')
    await until(() => expect(terminal.screen()).toContain(prompt))
    await pending()
    terminal.press('n\r')
    expect((await terminal.ended()).screen).toContain('It was not allowed')
  })

  it('Ctrl-C during a prompt cancels the run, and Ctrl-D leaves the approval to others', async () => {
    const { call, inTerminal, pending } = await daemonForTest()
    const cancelled = inTerminal('run', 'sim:permission')
    await until(() => expect(cancelled.screen()).toContain(prompt))
    cancelled.press('\u0003')
    const { code, screen } = await cancelled.ended()
    expect(code).toBe(130)
    expect(screen).toMatch(/withdrawn by \S+@\S+(?: \(\S+\))?[\s\S]*cancelled by \S+@\S+(?: \(\S+\))?/)
    const left = inTerminal('run', 'sim:permission')
    await until(() => expect(left.screen()).toContain(prompt))
    left.press('\u0004')
    const { approval } = await pending()
    await until(() => expect(left.screen()).toContain(`\r\nit waits for an answer:\r\n  muxd approve ${approval}`))
    expect((await call('deny', approval, '-m', 'never').ended).stderr).toMatch(
      /^a_\S+ denied by \S+@\S+(?: \(\S+\))?: never\n$/,
    )
    expect((await left.ended()).screen).toContain('It was not allowed: never.')
  })

  it('attach asks for pending approvals, not for answered ones', async () => {
    const { inTerminal, call, pending } = await daemonForTest()
    const [run] = (await call('run', '--detach', 'sim:permission tools=2').ended).stdout.split('\n')
    await call('approve', (await pending()).approval).ended
    const terminal = inTerminal('attach', run!)
    await until(() => expect(terminal.screen()).toContain(prompt))
    expect(terminal.screen().split(prompt)).toHaveLength(2)
    expect(terminal.screen()).toMatch(/✓ Write \S+simulated.txt: allowed/)
    terminal.press('y\r')
    expect((await terminal.ended()).code).toBe(0)
  })
})

describe('approvals without a terminal', () => {
  it('run prints the commands that answer an approval, and a second answer fails', async () => {
    const { call, pending } = await daemonForTest()
    const run = call('run', 'sim:permission')
    const { approval } = await pending()
    await until(() => expect(run.stderr()).toContain(`  muxd approve ${approval}\n  muxd deny ${approval} -m "why"\n`))
    const answered = jsonLines((await call('approve', approval, '--json').ended).stdout)
    expect(answered).toMatchObject([{ approval, state: 'resolved', decision: 'allow' }])
    expect((await run.ended).stdout).toContain('It was allowed')
    const late = await call('deny', approval).ended
    expect(late).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/was allowed by \S+@\S+(?: \(\S+\))?/) as string,
    })
  })

  it('approvals lists pending approvals, and --watch prints new and resolved ones', async () => {
    const { call, pending } = await daemonForTest()
    expect((await call('approvals').ended).stderr).toBe('nothing awaits an answer\n')
    const watching = call('approvals', '--watch', '--json')
    await call('run', '--detach', 'sim:question Which way?').ended
    const { approval, session } = await pending()
    expect((await call('approvals').ended).stdout).toMatch(
      /^APPROVAL +SESSION +AGE +ABOUT\na_\S+ +s_\S+ +\d+s +AskUserQuestion Which way\?\n$/,
    )
    expect((await call('approvals', '--session', session, '--json').ended).stdout).toContain(approval)
    const chosen = await call('approve', approval, '--answer', 'Which way?=Blue').ended
    expect(chosen.stderr).toMatch(/^a_\S+ allowed by \S+@\S+(?: \(\S+\))?\n$/)
    await until(() =>
      expect(jsonLines(watching.stdout())).toMatchObject([
        { approval, state: 'pending' },
        { approval, state: 'resolved', decision: 'allow' },
      ]),
    )
    watching.interrupt()
    expect((await watching.ended).code).toBe(0)
  })

  it('approve --input changes the input, and --remember allows later calls', async () => {
    const { call, pending } = await daemonForTest()
    const run = call('run', 'sim:permission tools=3')
    const { approval } = await pending()
    const input = JSON.stringify({ file_path: '/else', content: 'x' })
    expect((await call('approve', approval, '--input', input, '--remember').ended).code).toBe(0)
    expect((await run.ended).stdout).toContain('It was allowed: /else, ')
  })

  it.each([
    [['--input', 'x'], '--input x: expected a JSON object'],
    [['--answer', 'What?=Red'], '--answer What?=Red: expected QUESTION=LABEL, and one of the questions: 1: Which way?'],
  ])('a wrong answer is a usage error: %j', async (argv, message) => {
    const { call, pending } = await daemonForTest()
    await call('run', '--detach', 'sim:question Which way?').ended
    const { code, stderr } = await call('approve', (await pending()).approval, ...argv).ended
    expect(code).toBe(2)
    expect(stderr).toContain(message)
  })

  it('rules and the deny policy decide without asking', async () => {
    const { call } = await daemonForTest()
    const allowed = await call('run', 'sim:permission', '--allow', 'Write').ended
    expect(allowed.stdout).toContain('It was allowed')
    const denied = await call('run', 'sim:permission', '--allow', 'Write', '--deny', 'Edit').ended
    expect(denied.stdout).toContain('It was not allowed')
    expect(allowed.stderr + denied.stderr).not.toContain('needs permission')
    expect((await call('run', 'sim:permission', '--approvals', 'deny').ended).stdout).toContain('It was not allowed')
    expect(await call('run', 'x', '--allow', 'write').ended).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('expected Write instead of write') as string,
    })
    expect((await call('run', 'x', '--session', 's_1', '--allow', 'Write').ended).stderr).toContain(
      '--allow is for a new session',
    )
  })
})
