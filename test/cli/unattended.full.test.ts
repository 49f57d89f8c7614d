import { expect, it } from 'vitest'
import type { Approval, Run } from '../../protocol/index.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { jsonLines, muxd } from './muxd.ts'
import { muxdInTerminal } from './muxd-in-terminal.ts'

it('run --json prints the denial of an approval when no operator connects, and nothing on standard error', async () => {
  const { home } = await startTestDaemon({ config: { unattendedMs: 500 } })
  const { code, stdout, stderr } = await muxd(['run', 'sim:permission', '--json', '--home', home]).ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const events = jsonLines(stdout)
  expect(events.filter(({ type }) => type === 'approval_requested')).toHaveLength(1)
  expect(events.filter(({ type }) => type === 'approval_resolved')).toMatchObject([
    { decision: 'deny', by: { policy: 'nobody connected' } },
  ])
  expect(events.at(-1)).toMatchObject({ type: 'done', response: expect.stringContaining('It was not allowed') })
})

it('run without a terminal prints how to answer an approval, and its denial when no operator connects', async () => {
  const { home } = await startTestDaemon({ config: { unattendedMs: 500 } })
  const { code, stdout, stderr } = await muxd(['run', 'sim:permission', '--home', home]).ended
  expect(code).toBe(0)
  expect(stdout).toContain('It was not allowed')
  expect(stderr).toMatch(
    / {2}muxd approve a_\S+\n {2}muxd deny a_\S+ .*\n {2}denied at \d\d:\d\d:\d\d or later unless answered or somebody connects who can be asked\n/,
  )
  expect(stderr).toContain('denied (nobody connected)')
})

it('an approval shown on a terminal is not denied before it is answered', async () => {
  const { home } = await startTestDaemon({ config: { unattendedMs: 1 } })
  const terminal = muxdInTerminal(['run', 'sim:permission', '--home', home], { NO_COLOR: '1' })
  await until(() => expect(terminal.screen()).toContain('Allow it?'))
  terminal.press('y\r')
  expect((await terminal.ended()).screen).toContain('It was allowed')
})

it('an approval that was seen by others is shown with the time that starts when they leave', async () => {
  const daemon = await startTestDaemon({ config: { unattendedMs: 1_000 } })
  const peer = await daemon.peer()
  const { session, run } = await peer.call<Run>('run.start', { create: { cwd: tempDir() }, prompt: 'sim:permission' })
  const { approval, requestedAt } = await until(async () => {
    const { approvals } = await peer.call<{ approvals: Approval[] }>('approval.list')
    expect(approvals).toHaveLength(1)
    return approvals[0]!
  })
  await until(() => expect(Date.now()).toBeGreaterThan(requestedAt + 1_000))
  const attached = muxd(['attach', session, '--home', daemon.home])
  await until(() =>
    expect(attached.stderr()).toContain('denied 1.0 s after the last client that can answer has left, unless answered'),
  )
  await peer.call('approval.answer', { approval, decision: 'allow' })
  await peer.call('run.wait', { run })
  attached.interrupt()
  await attached.ended
})

it('an approval that waits for ever is shown without a deadline', async () => {
  const { home } = await startTestDaemon()
  const run = muxd(['run', 'sim:permission', '--approvals', 'ask', '--home', home])
  const found = await until(async () => {
    const records = jsonLines((await muxd(['approvals', '--json', '--home', home]).ended).stdout)
    expect(records).toHaveLength(1)
    return records[0] as unknown as Approval
  })
  await muxd(['approve', found.approval, '--home', home]).ended
  expect((await run.ended).stderr).not.toContain('denied at')
})
