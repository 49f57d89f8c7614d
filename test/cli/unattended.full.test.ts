import { expect, it } from 'vitest'
import type { Approval } from '../../protocol/index.ts'
import { startTestDaemon } from '../support/daemon.ts'
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
    / {2}muxd approve a_\S+\n {2}muxd deny a_\S+ .*\n {2}denied at \d\d:\d\d:\d\d unless answered or somebody connects who can be asked\n/,
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
