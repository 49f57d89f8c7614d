import { rmSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Run } from '../../protocol/index.ts'
import { canMount, startTestDaemon } from '../support/daemon.ts'
import { fillDisk } from '../support/fill-disk.ts'
import type { RpcPeer, WireEvent } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { expectWholeLog } from '../support/whole-log.ts'
import { until } from '../support/until.ts'

const start = (peer: RpcPeer, prompt: string) => peer.call<Run>('run.start', { create: { cwd: tempDir() }, prompt })
const follow = async (peer: RpcPeer, run: Run) => {
  const topic = `session/${run.session}`
  await peer.call('topic.subscribe', { topic, since: 'start' })
  await until(() => expect(peer.events(topic).map(({ type }) => type)).toContain('assistant_text'), {
    timeout: 10_000,
  })
  return (): WireEvent[] => peer.events(topic)
}

describe.skipIf(!canMount)('a full disk (skipped where no disk can be mounted)', () => {
  it('fails the run that writes, and no other, until there is space', async () => {
    const daemon = await startTestDaemon({ disk: { bytes: 96 * 1024 * 1024 } })
    const peer = await daemon.peer()
    const quiet = await start(peer, 'sim:hang at=text')
    const quietEvents = await follow(peer, quiet)
    const loud = await start(peer, 'sim:flood frames=1000000 size=1000')
    const loudEvents = await follow(peer, loud)

    await peer.call('topic.subscribe', { topic: 'daemon', since: 'start' })
    const states = () => peer.events('daemon').map(({ state }) => state)
    const filler = fillDisk(daemon.seenHome)
    const failed = await peer.call<Run>('run.wait', { run: loud.run, timeoutMs: 30_000 })
    expect(failed).toMatchObject({ state: 'failed', result: { failure: { code: 'disk_full', retryable: true } } })
    // Events of the process's earlier output may follow it.
    await until(() => expect(loudEvents().map(({ type }) => type)).toContain('failed'))
    expectWholeLog(loudEvents())

    expect(await peer.call('run.get', { run: quiet.run })).toMatchObject({ state: 'running' })
    const seen = quietEvents()
    const page = await peer.call<{ events: WireEvent[] }>('topic.read', { topic: `session/${quiet.session}`, after: 0 })
    expect(page.events).toEqual(seen)

    await until(() => expect(states().at(-1)).toBe('disk_full'))
    rmSync(filler)
    await until(
      async () => {
        const run = await start(peer, 'sim:text')
        expect(await peer.call<Run>('run.wait', { run: run.run })).toMatchObject({ state: 'done' })
      },
      { timeout: 20_000, interval: 500 },
    )
    await until(() => expect(states()).toEqual(['running', 'disk_full', 'running']))
    await peer.call('run.cancel', { run: quiet.run })
    expect(await peer.call<Run>('run.wait', { run: quiet.run })).toMatchObject({ state: 'cancelled' })
    await until(() => expect(quietEvents().at(-1)).toMatchObject({ type: 'cancelled' }))
    expectWholeLog(quietEvents())
  })

  it('below the raw logs fails a run although its events can be stored', async () => {
    const daemon = await startTestDaemon({ disk: { bytes: 2 * 1024 * 1024, at: 'processes' } })
    const peer = await daemon.peer()
    const run = await start(peer, 'sim:flood frames=1000000 size=1000')
    const events = await follow(peer, run)
    const failed = await peer.call<Run>('run.wait', { run: run.run, timeoutMs: 30_000 })
    expect(failed).toMatchObject({ state: 'failed', result: { failure: { code: 'disk_full' } } })
    await until(() => expect(events().map(({ type }) => type)).toContain('failed'))
    expectWholeLog(events())
    const page = await peer.call<{ head: number }>('topic.read', {
      topic: `session/${run.session}`,
      after: 0,
      limit: 1,
    })
    await until(() => expect(events().at(-1)!.seq).toBe(page.head))
    // Everything that could be kept belongs to the run. Only a truncated line may follow its end.
    const rest = events().slice(events().findIndex(({ type }) => type === 'failed') + 1)
    expect(rest.filter(({ type }) => type !== 'unparsed')).toEqual([])
  })
})
