import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type Approval, limits, type Run } from '../../protocol/index.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { readLog } from '../support/whole-log.ts'

/** Creates a stand-in for Claude Code that asks `count` questions at once, and ends the turn when all are answered. */
function asking(count: number): string {
  const path = join(tempDir(), 'claude')
  const lines = `
    if (process.argv.includes('--version')) { console.log('2.1.332 (Claude Code)'); process.exit() }
    const print = frame => console.log(JSON.stringify(frame))
    let open = ${count}
    require('node:readline').createInterface({ input: process.stdin }).on('line', line => {
      const { type, request_id, uuid } = JSON.parse(line)
      if (type === 'control_request') print({ type: 'control_response', response: { subtype: 'success', request_id, response: {} } })
      if (type === 'user') {
        print({ type: 'system', subtype: 'init', session_id: 'x', tools: [], user_message_uuids: [uuid] })
        for (let n = 0; n < ${count}; n++) print({ type: 'control_request', request_id: 'q' + n,
          request: { subtype: 'can_use_tool', tool_name: 'Bash', input: { command: 'echo ' + n }, tool_use_id: 't' + n } })
      }
      if (type === 'control_response' && --open === 0)
        print({ type: 'result', subtype: 'success', is_error: false, result: 'all answered', total_cost_usd: 0, session_id: 'x' })
    })`
  writeFileSync(path, `#!${process.execPath}\n${lines}`, { mode: 0o755 })
  return path
}

it('a session has at most maxOpenApprovals pending approvals; further ones are denied', async () => {
  const extra = 20
  const daemon = await startTestDaemon({ argv: ['--claude-bin', asking(limits.maxOpenApprovals + extra)] })
  const peer = await daemon.peer()
  const run = await peer.call<Run>('run.start', { create: { cwd: tempDir() }, prompt: 'ask' })
  const denied = async () =>
    (await readLog(params => peer.call('topic.read', params), run.session)).filter(
      ({ type }) => type === 'approval_resolved',
    )
  await until(async () => expect(await denied()).toHaveLength(extra))
  expect(await denied()).toEqual(
    Array.from({ length: extra }, () =>
      expect.objectContaining({ decision: 'deny', by: { policy: 'too many open questions' } }),
    ),
  )
  const { approvals } = await peer.call<{ approvals: Approval[] }>('approval.list', { limit: 1_000 })
  expect(approvals).toHaveLength(limits.maxOpenApprovals)
  for (const { approval } of approvals) await peer.call('approval.answer', { approval, decision: 'deny' })
  expect(await peer.call<Run>('run.wait', { run: run.run })).toMatchObject({
    state: 'done',
    result: { response: 'all answered' },
  })
})
