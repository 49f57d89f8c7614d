import { describe, expect, it } from 'vitest'
import type { Run } from '../../protocol/index.ts'
import { startTestDaemon, tempHome } from '../support/daemon.ts'
import { canInjectFaults, createFaults } from '../support/faults/faults.ts'
import { tempDir } from '../support/temp-dir.ts'
import { expectWholeLog, readLog } from '../support/whole-log.ts'
import { until } from '../support/until.ts'

describe.skipIf(!canInjectFaults)('a failed sync (skipped without a C compiler)', () => {
  it.each([
    ['the end of a run', '*/muxd.db-wal', 'sim:long words=300 delayMs=500'],
    // Long enough for a checkpoint to write to the database.
    ['the database', '*/muxd.db', 'sim:flood frames=4000 size=2000'],
  ])('of %s stops the daemon as disk_failed, and the next one begins a new epoch', async (_what, path, prompt) => {
    const home = tempHome()
    const faults = createFaults(home)
    const daemon = await startTestDaemon({ home, env: faults.env })
    const peer = await daemon.peer()
    await peer.call('topic.subscribe', { topic: 'daemon', since: 'start' })
    const run = await peer.call<Run>('run.start', { create: { cwd: tempDir() }, prompt })
    const topic = `session/${run.session}`
    const { epoch } = await peer.call<{ epoch: string }>('topic.subscribe', { topic, since: 'start' })
    await until(() => expect(peer.events(topic).map(({ type }) => type)).toContain('assistant_text'))
    faults.set({ operation: 'sync', path, fault: 'EIO' })

    expect(await peer.closed).toBe(4000)
    expect(peer.events('daemon').at(-1)).toMatchObject({
      state: 'disk_failed',
      detail: expect.stringMatching(/muxd\.db\S* could not be synced to the disk/),
    })
    expect(peer.notifications.at(-1)).toMatchObject({ method: 'bye', params: { code: 4000, reconnect: true } })
    const seen = peer.events(topic)
    expectWholeLog(seen, { running: [run.run] })
    expect(seen.map(({ type }) => type)).not.toContain('done')
    expect(await daemon.stop()).toBe(4)
    expect(daemon.log()).toContain('"message":"the disk failed: the daemon ends"')
    expect(daemon.log().trimEnd().split('\n').at(-1)).toMatch(/^muxd: \S+muxd\.db\S* could not be synced/)

    const next = await startTestDaemon({ home: daemon.home })
    const later = await next.peer()
    const place = { epoch, seq: seen.at(-1)!.seq }
    expect(await later.call('topic.subscribe', { topic, since: place })).toMatchObject({
      recovered: false,
      reason: 'epoch_changed',
    })
    expect(next.log()).toContain('a sync of the database failed: the events have a new epoch')
    // The process has continued meanwhile, or has finished.
    expect(await later.call('run.wait', { run: run.run })).toMatchObject({ state: 'done' })
    const events = await readLog(params => later.call('topic.read', params), run.session)
    expectWholeLog(events)
    await next.kill()
    const last = await startTestDaemon({ home: daemon.home })
    expect(last.log()).not.toContain('new epoch')
  })
})
