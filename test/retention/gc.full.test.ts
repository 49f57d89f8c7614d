import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { GcResult, Session } from '../../protocol/index.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { RpcFailure, type RpcPeer } from '../support/rpc-peer.ts'
import { until } from '../support/until.ts'
import { day, filesOf, keptBytes, oldHome, withStore } from './old-home.ts'

const gc = (peer: RpcPeer, params: object = {}) => peer.call<GcResult>('daemon.gc', params)
const ids = async (peer: RpcPeer) =>
  (await peer.call<{ sessions: Session[] }>('session.list')).sessions.map(({ session }) => session).toSorted()
const startRun = (peer: RpcPeer, prompt: string, home: string) =>
  peer.call<{ run: string; session: string }>('run.start', { create: { cwd: home }, prompt })
const endOf = (peer: RpcPeer, run: string) => peer.call('run.wait', { run })
const read = async (peer: RpcPeer, topic: string, after = 0) =>
  await peer.call<{ events: unknown[]; first: number; head: number }>('topic.read', { topic, after, limit: 1_000 })

describe('retention', () => {
  test('deletes old sessions at the start, drops raw logs of unused ones, and keeps the rest', async () => {
    const home = oldHome([
      { id: 's_old', unusedMs: 31 * day },
      { id: 's_mid', unusedMs: 8 * day, lines: [40, 60] },
      { id: 's_new', unusedMs: 6 * day },
    ])
    // A file of an earlier version.
    writeFileSync(join(home, 'processes', 'p_s_new_0.pack'), 'packed')
    const before = withStore(home, store =>
      store.events.read('s_mid', 0, 100, Infinity).map(text => JSON.parse(text) as unknown),
    )
    const { peer } = await startTestDaemon({ home })
    const client = await peer()
    await until(async () => expect(await ids(client)).toEqual(['s_mid', 's_new']))
    const kept = ['p_s_new_0.err', 'p_s_new_0.raw', 'p_s_new_0.times']
    await until(() => expect(filesOf(home)).toEqual(kept))
    expect((await read(client, 'session/s_mid')).events).toEqual(before)
    expect(await read(client, 'session/s_mid/frames')).toMatchObject({ first: 101, head: 100, events: [] })
    expect(await read(client, 'session/s_new/frames')).toMatchObject({ first: 1, head: 50 })
    await expect(client.call('run.get', { run: 'r_s_old' })).rejects.toThrow('no run')
    expect(await gc(client)).toEqual({
      dryRun: false,
      sessions: [],
      rawLogs: [],
      more: { sessions: 0, rawLogs: 0 },
      freedBytes: 0,
    })
  })

  test('deletes for size the longest unused sessions, no more than needed, and logs the freed bytes', async () => {
    const large = { events: 500, eventBytes: 2_000, lines: [2_000] }
    const home = oldHome([
      { id: 's_2', unusedMs: 3 * day, ...large },
      { id: 's_1', unusedMs: 4 * day, ...large },
      { id: 's_4', unusedMs: 60_000, ...large },
      { id: 's_3', unusedMs: 2 * day, ...large },
    ])
    const before = keptBytes(home)
    const config = { keepTotalBytes: Math.round(statSync(join(home, 'muxd.db')).size * 0.6), rawLogs: 'keep' }
    const { peer, stop, log } = await startTestDaemon({ home, config })
    const client = await peer()
    await until(async () => expect(await ids(client)).toEqual(['s_3', 's_4']))
    expect(await gc(client)).toMatchObject({ sessions: [] })
    expect(await stop()).toBe(0)
    expect(keptBytes(home)).toBeLessThan(config.keepTotalBytes)
    const told = Number(/"freedBytes":(\d+)/.exec(log())?.[1])
    const freed = before - keptBytes(home)
    expect(told).toBeGreaterThan(freed * 0.7)
    expect(told).toBeLessThan(freed * 1.3)

    // All sessions together exceed the limit. The youngest stays, because it was used within the hour.
    const again = await startTestDaemon({ home, config: { keepTotalBytes: 1 } })
    const other = await again.peer()
    await until(async () => expect(await ids(other)).toEqual(['s_4']))
  })

  test('estimates the size of a session whose events have a damaged page', async () => {
    const large = { events: 500, eventBytes: 2_000, unusedMs: 31 * day }
    const home = oldHome([
      { id: 's_damaged', ...large },
      { id: 's_intact', ...large },
    ])
    const file = join(home, 'muxd.db')
    const bytes = readFileSync(file)
    const page = Math.floor(bytes.indexOf('"run":"r_s_damaged","type":"assistant_text"') / 4096) * 4096
    expect(page).toBeGreaterThan(0)
    writeFileSync(file, bytes.fill(0xff, page, page + 8))
    const { peer, stop, log } = await startTestDaemon({ home })
    const client = await peer()
    await until(async () => expect(await ids(client)).toEqual([]))
    await gc(client)
    expect(await stop()).toBe(0)
    const freed = Number(/"freedBytes":(\d+)/.exec(log())?.[1])
    expect(freed).toBeGreaterThan(bytes.length * 0.7)
    expect(freed).toBeLessThan(bytes.length * 1.3)
  })

  test('drops the oldest raw logs for size, even with rawLogs keep, before it deletes a session', async () => {
    const home = oldHome([
      { id: 's_new', unusedMs: day, lines: [3_000] },
      { id: 's_old', unusedMs: 9 * day, lines: [3_000, 3_000] },
    ])
    const oldest = rawBytesOf(home, 'p_s_old_0')
    const config = { keepTotalBytes: keptBytes(home) - Math.round(oldest * 0.5), rawLogs: 'keep' }
    const { peer } = await startTestDaemon({ home, config })
    const client = await peer()
    await until(() => expect(filesOf(home)).not.toContain('p_s_old_0.err'))
    expect(await gc(client)).toMatchObject({ sessions: [], rawLogs: [] })
    expect(await ids(client)).toEqual(['s_new', 's_old'])
    expect(filesOf(home).filter(name => name.endsWith('.raw'))).toEqual(['p_s_new_0.raw', 'p_s_old_1.raw'])
    expect(await read(client, 'session/s_old/frames', 3_000)).toMatchObject({ first: 3_001, head: 6_000 })
  })

  test('with dryRun reports what it would delete and changes nothing, then deletes just that', async () => {
    const home = oldHome([])
    const config = { keepSessionsMs: 1_000, rawLogAfterMs: 0, idleCloseMs: 0, keepTotalBytes: 0 }
    const { peer } = await startTestDaemon({ home, config })
    const client = await peer()
    const first = await startRun(client, 'sim:burst count=2000', home)
    await endOf(client, first.run)
    const planned = await until(async () => {
      const result = await gc(client, { dryRun: true })
      expect(result.sessions).toMatchObject([{ session: first.session, reason: 'age' }])
      return result
    })
    const bytes = contentsOf(home)
    expect(await gc(client, { dryRun: true })).toEqual(planned)
    expect(contentsOf(home)).toEqual(bytes)
    expect(await ids(client)).toEqual([first.session])

    const used = keptBytes(home)
    const done = await gc(client)
    expect(done).toEqual({ ...planned, dryRun: false })
    expect(done.sessions[0]!.events).toBeGreaterThan(100)
    expect(await ids(client)).toEqual([])
    expect(filesOf(home)).toEqual([])
    expect(used).toBeGreaterThan(done.freedBytes / 2)
  })

  test('never touches a session with an active or queued run or an idle process', async () => {
    const home = oldHome([{ id: 's_unused', unusedMs: day }])
    const config = { keepSessionsMs: 1, keepTotalBytes: 1, rawLogs: 'drop', rawLogAfterMs: 0, maxRuns: 1 }
    const { peer } = await startTestDaemon({ home, config })
    const client = await peer()
    await until(async () => expect(await ids(client)).toEqual([]))
    const idle = await startRun(client, 'sim:text', home)
    await endOf(client, idle.run)
    const running = await startRun(client, 'sim:slow delayMs=500000 words=10000', home)
    const waiting = await startRun(client, 'sim:text', home)
    const all = [idle, running, waiting].map(({ session }) => session).toSorted()
    const files = () => filesOf(home).filter(name => /\.(raw|times|err|pack)$/.test(name))
    const before = await until(() => {
      expect(files()).toHaveLength(6)
      return files()
    })
    for (const params of [{ dryRun: true }, {}]) {
      expect(await gc(client, params)).toMatchObject({ sessions: [], rawLogs: [], freedBytes: 0 })
    }
    expect(await ids(client)).toEqual(all)
    expect(files()).toEqual(before)
    // Each session is deleted once it has no more work.
    await client.call('run.cancel', { run: running.run, mode: 'kill' })
    await endOf(client, waiting.run)
    for (const session of all) await client.call('session.close', { session })
    await until(async () => {
      await gc(client)
      expect(await ids(client)).toEqual([])
    })
    expect(filesOf(home)).toEqual([])
  })

  test('either deletes a session before its next run starts, or lets that run finish', async () => {
    const home = oldHome([])
    const config = { keepSessionsMs: 1, idleCloseMs: 0, maxRuns: 8 }
    const { peer } = await startTestDaemon({ home, config })
    const client = await peer()
    let kept = 0
    let gone = 0
    for (let round = 0; round < 6; round++) {
      const { run, session } = await startRun(client, 'sim:text', home)
      await endOf(client, run)
      const [, next] = await Promise.all([
        gc(client),
        client.call<{ run: string }>('run.start', { session, prompt: 'sim:text' }).catch((error: unknown) => error),
      ])
      if (next instanceof RpcFailure) {
        expect(next.error.data.kind).toBe('not_found')
        gone++
      } else {
        expect(await endOf(client, (next as { run: string }).run)).toMatchObject({ state: 'done' })
        kept++
      }
    }
    expect(kept + gone).toBe(6)
  })

  test('publishes each deletion once, ends its subscriptions, and disturbs no other session', async () => {
    const home = oldHome([])
    const { peer } = await startTestDaemon({ home, config: { keepSessionsMs: 1, idleCloseMs: 0 } })
    const client = await peer()
    const old = await startRun(client, 'sim:text', home)
    await endOf(client, old.run)
    const live = await startRun(client, 'sim:slow delayMs=200 words=400', home)
    for (const topic of ['sessions', `session/${old.session}`, `session/${live.session}`]) {
      await client.call('topic.subscribe', { topic, since: 'start' })
    }
    await until(async () => {
      await gc(client)
      expect(await ids(client)).toEqual([live.session])
    })
    await endOf(client, live.run)
    const seen = await until(() => {
      const events = client.events(`session/${live.session}`)
      expect(events.at(-1)).toMatchObject({ type: 'done' })
      return events
    })
    expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, index) => index + 1))
    const deletions = client.events('sessions').filter(({ type }) => type === 'session_deleted')
    expect(deletions.map(({ session }) => session)).toEqual([old.session])
    await expect(client.call('topic.subscribe', { topic: `session/${old.session}` })).rejects.toThrow('no topic')
  })

  test('reports dropped frames as trimmed, and later frames continue their numbers', async () => {
    const home = oldHome([])
    const { peer } = await startTestDaemon({ home, config: { rawLogs: 'compress', rawLogAfterMs: 0, idleCloseMs: 0 } })
    const client = await peer()
    const { run, session } = await startRun(client, 'sim:text', home)
    await endOf(client, run)
    const topic = `session/${session}/frames`
    const { head, first } = await read(client, topic)
    expect(first).toBe(1)
    await until(async () => {
      await gc(client)
      expect(filesOf(home)).toEqual([])
    })
    expect(await read(client, topic)).toMatchObject({ first: head + 1, head, events: [] })
    await expect(client.call('event.get', { topic, seq: 1 })).rejects.toThrow('no event')
    const { epoch } = await client.call<{ epoch: string }>('topic.subscribe', { topic })
    const trimmed = { recovered: false, reason: 'trimmed', first: head + 1, head }
    expect(await client.call('topic.subscribe', { topic, since: { epoch, seq: 1 } })).toMatchObject(trimmed)
    const next = await client.call<{ run: string }>('run.start', { session, prompt: 'sim:text' })
    await endOf(client, next.run)
    await until(() => expect(client.events(topic).length).toBeGreaterThan(5))
    const seqs = client.events(topic).map(({ seq }) => seq)
    expect(seqs).toEqual(seqs.map((_, index) => head + 1 + index))
  })

  test('removes files that belong to no process, unless they are recent', async () => {
    const home = oldHome([{ id: 's_1', unusedMs: 60_000 }])
    const processes = join(home, 'processes')
    const leftovers = ['p_gone.raw', 'p_gone.pack.draft', 'p_s_1_0.pack.draft', 'p_s_1_0.pack', 'p_new.raw']
    for (const name of leftovers) writeFileSync(join(processes, name), 'x')
    mkdirSync(join(processes, 'p_gone.tmp'))
    for (const name of [...leftovers, 'p_gone.tmp']) {
      if (name !== 'p_new.raw') utimesSync(join(processes, name), 1, 1)
    }
    await startTestDaemon({ home })
    await until(() => expect(filesOf(home)).toEqual(['p_new.raw', 'p_s_1_0.err', 'p_s_1_0.raw', 'p_s_1_0.times']))
  })

  test('interrupted by a kill continues to remove a large session at the next start', async () => {
    const home = oldHome([
      { id: 's_large', unusedMs: 40 * day, events: 100_000 },
      { id: 's_new', unusedMs: 60_000 },
    ])
    const first = await startTestDaemon({ home })
    const client = await first.peer()
    await until(async () => expect(await ids(client)).toEqual(['s_new']), { interval: 1 })
    await first.kill()
    expect(withStore(home, store => store.deletions.removeEvents())).toBe(true)

    const next = await startTestDaemon({ home })
    const other = await next.peer()
    await until(async () => {
      const { disk } = await other.call<{ disk: { databaseBytes: number; walBytes: number } }>('daemon.status')
      expect(disk.databaseBytes - disk.walBytes).toBeLessThan(1024 * 1024)
    })
    expect(await next.stop()).toBe(0)
    withStore(home, store => expect(store.deletions.removeEvents()).toBe(false))
  })

  test('interrupted by kills is completed by the next daemon and keeps the events of other sessions', async () => {
    const young = { id: 's_young', unusedMs: 60_000, lines: [300] }
    const unused = ['s_u1', 's_u2', 's_u3'].map(id => ({ id, unusedMs: 8 * day, lines: [1_500, 100] }))
    const old = Array.from({ length: 6 }, (_, index) => ({
      id: `s_o${index}`,
      unusedMs: 40 * day,
      events: 3_000,
      lines: [200],
    }))
    const home = oldHome([young, ...unused, ...old])
    const kept = [young, ...unused].map(({ id }) => id).toSorted()
    const eventsOf = (id: string) => withStore(home, store => store.events.read(id, 0, 100, Infinity))
    const before = Object.fromEntries(kept.map(id => [id, eventsOf(id)]))

    // Each round kills the daemon a little later: during the deletions, the clean-up after them, the drops, or after
    // all.
    for (let round = 0; round < 6; round++) {
      const { kill } = await startTestDaemon({ home })
      const files = filesOf(home)
      if (round % 2 === 1)
        await until(() => expect(filesOf(home)).not.toEqual(files), { timeout: 500, interval: 1 }).catch(() => {})
      await kill()
      for (const id of kept) expect(eventsOf(id)).toEqual(before[id])
    }
    const { peer, stop } = await startTestDaemon({ home })
    const client = await peer()
    expect(await gc(client)).toMatchObject({ dryRun: false })
    expect(await gc(client)).toMatchObject({ sessions: [], rawLogs: [] })
    expect(await ids(client)).toEqual(kept)
    expect(filesOf(home)).toEqual(['p_s_young_0.err', 'p_s_young_0.raw', 'p_s_young_0.times'])
    for (const { id } of unused)
      expect(await read(client, `session/${id}/frames`)).toMatchObject({ first: 1_601, head: 1_600 })
    expect(await stop()).toBe(0)
    for (const id of kept) expect(eventsOf(id)).toEqual(before[id])
    withStore(home, store => {
      expect(store.deletions.removeEvents()).toBe(false)
      expect(store.deletions.processes()).toEqual([])
      expect(store.giveBack()).toBe(false)
    })
  })
})

/** Returns every file of a home except SQLite's shared memory, which readers change. */
function contentsOf(home: string): Record<string, string> {
  const names = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter(name => !name.endsWith('-shm'))
  const files = names.filter(name => statSync(join(home, name)).isFile())
  return Object.fromEntries(files.map(name => [name, readFileSync(join(home, name)).toString('base64')]))
}

const rawBytesOf = (home: string, process: string) =>
  ['raw', 'times', 'err'].reduce((sum, kind) => sum + statSync(join(home, 'processes', `${process}.${kind}`)).size, 0)
