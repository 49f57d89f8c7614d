import { describe, expect, it } from 'vitest'
import type { Run } from '../../protocol/index.ts'
import { sharedTestDaemon } from '../support/daemon.ts'
import type { RpcPeer } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { expectWholeLog, readLog } from '../support/whole-log.ts'
import { until } from '../support/until.ts'

const shared = sharedTestDaemon()

const runToEnd = async (peer: RpcPeer, prompt: string) => {
  const run = await peer.call<Run>('run.start', { create: { cwd: tempDir() }, prompt })
  const ended = await peer.call<Run>('run.wait', { run: run.run })
  const events = await readLog(params => peer.call('topic.read', params), run.session)
  // Claude Code may have started a turn of its own by now.
  expectWholeLog(events, { running: events.flatMap(event => (event.run && event.run !== run.run ? [event.run] : [])) })
  return { ended, events, last: events.at(-1) }
}

describe('the end of a run', () => {
  it.each([
    [
      'sim:crash code=3 stderr="Error: out of cheese"',
      { code: 'crashed', exitCode: 3, stderrTail: expect.stringContaining('out of cheese') },
    ],
    ['sim:crash signal=SIGKILL', { code: 'killed', signal: 'SIGKILL' }],
    ['sim:silent', { code: 'no_output' }],
    ['sim:fail kind=rate_limit', { code: 'rate_limited', retryable: true }],
    ['sim:fail kind=overloaded', { code: 'overloaded', retryable: true }],
    ['sim:fail kind=auth', { code: 'auth', retryable: false }],
    ['sim:fail kind=billing', { code: 'billing' }],
    ['sim:fail kind=prompt_too_long', { code: 'context_exceeded' }],
    ['sim:fail kind=max_turns', { code: 'max_turns' }],
    ['sim:fail kind=budget', { code: 'max_budget' }],
  ])('has the failure code of its cause: %s', async (prompt, failure) => {
    const daemon = shared()
    const { ended, last } = await runToEnd(await daemon.peer(), prompt)
    expect(ended).toMatchObject({ state: 'failed', result: { failure } })
    expect(last).toMatchObject({ type: 'failed', run: ended.run })
    expect(ended.result?.failure?.title).not.toBe('')
  })

  it('by a crash lets the session serve the next prompt', async () => {
    const daemon = shared()
    const peer = await daemon.peer()
    const { ended } = await runToEnd(peer, 'sim:crash')
    const next = await peer.call<Run>('run.start', { session: ended.session, prompt: 'sim:text' })
    expect(await peer.call<Run>('run.wait', { run: next.run })).toMatchObject({ state: 'done' })
  })

  it('is done after API retries, which the log contains', async () => {
    const daemon = shared()
    const { ended, events } = await runToEnd(await daemon.peer(), 'sim:retry')
    expect(ended.state).toBe('done')
    expect(events.map(({ type }) => type)).toContain('api_retry')
  })
})

describe('a turn that Claude Code begins by itself', () => {
  it('becomes a run of its own with origin.background', async () => {
    const daemon = shared()
    const peer = await daemon.peer()
    const { ended } = await runToEnd(peer, 'sim:background')
    expect(ended.state).toBe('done')
    await until(
      async () => {
        const { runs } = await peer.call<{ runs: Run[] }>('run.list', { session: ended.session })
        expect(runs).toHaveLength(2)
        expect(runs[0]).toMatchObject({ state: 'done', origin: { background: { kind: expect.any(String) } } })
      },
      { timeout: 10_000 },
    )
  })
})

describe('output that is not a frame', () => {
  it('is logged as unparsed, and the run is done', async () => {
    const daemon = shared()
    const { ended, events } = await runToEnd(await daemon.peer(), 'sim:spam')
    expect(ended.state).toBe('done')
    expect(events.map(({ type }) => type)).toContain('unparsed')
  })
})
