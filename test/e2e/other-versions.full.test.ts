import { chmodSync, cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Run, Session } from '../../protocol/index.ts'
import { openSqlite } from '../../daemon/store/sqlite/sqlite.ts'
import { failToStart, startTestDaemon, tempHome } from '../support/daemon.ts'
import { expectWholeLog, readLog } from '../support/whole-log.ts'

/**
 * A home that a killed daemon of the first schema left: a session with two ended runs, an unused session, a session
 * with one run, and a session with an active run and a queued one. `stored.json` lists what the daemon had stored.
 */
const earlierHome = fileURLToPath(new URL('../fixtures/home-v1', import.meta.url))
interface Stored {
  epoch: string
  cwd: string
  sessions: Record<'finished' | 'idle' | 'other' | 'running', string>
  runs: { finished: string[]; other: string; running: string; queued: string }
  answers: Record<'first' | 'second' | 'idle' | 'live', Run>
  events: Record<string, string[]>
}
const stored = JSON.parse(readFileSync(join(earlierHome, 'stored.json'), 'utf8')) as Stored

/** Moves the stored calls to today: a key is valid for a day, and the home is older. */
function usedToday(database: string) {
  const db = openSqlite(database)
  db.prepare<[number]>('UPDATE requests SET time = ?').run(Date.now())
  db.close()
}

/** Checks all events, in order, that the next daemon adds for the active run and for the queued run. */
function expectRecovered([interrupted, ...rest]: readonly { type: string; run: string | null }[]) {
  const text = 'The simulated answer goes on, word after word, so that there is something to'
  expect(interrupted).toEqual({
    seq: 21,
    time: expect.any(Number) as number,
    run: stored.runs.running,
    type: 'interrupted',
    reason: 'the pty-host of its process died while it ran',
    response: text,
    transcript: [{ role: 'assistant', content: [{ type: 'text', text }], timestampMs: 1795252464678 }],
  })
  expect(rest.filter(({ run }) => run !== stored.runs.queued)).toEqual([])
  const types = rest.map(({ type }) => type).filter(type => type !== 'assistant_text')
  expect(types).toEqual([
    'run_started',
    'session_init',
    'status',
    'message_started',
    'message_finished',
    'cost',
    'done',
  ])
}

describe('a home of the first version', () => {
  it('keeps its epoch, events and keys, and its unfinished runs end', async () => {
    const home = tempHome()
    cpSync(earlierHome, home, { recursive: true })
    for (const directory of [home, join(home, 'processes')]) chmodSync(directory, 0o700)
    usedToday(join(home, 'muxd.db'))
    const daemon = await startTestDaemon({ home, config: { keepSessionsMs: 0 } })
    const peer = await daemon.peer()
    expect(daemon.log()).not.toContain('new epoch')
    for (const [session, texts] of Object.entries(stored.events)) {
      const since = { epoch: stored.epoch, seq: texts.length }
      expect(await peer.call('topic.subscribe', { topic: `session/${session}`, since })).toMatchObject({
        epoch: stored.epoch,
        recovered: true,
      })
    }
    const { finished, other, running, queued } = stored.runs
    const ended = (run: string) => peer.call<Run>('run.wait', { run })
    for (const run of [...finished, other, queued]) expect(await ended(run)).toMatchObject({ state: 'done' })
    expect(await ended(running)).toMatchObject({ state: 'interrupted' })
    for (const [session, texts] of Object.entries(stored.events)) {
      const events = await readLog(params => peer.call('topic.read', params), session)
      expectWholeLog(events)
      expect(events.slice(0, texts.length).map(event => JSON.stringify(event))).toEqual(texts)
      const added = events.slice(texts.length)
      if (session !== stored.sessions.running) expect(added).toEqual([])
      else expectRecovered(added)
    }

    const params = {
      create: { cwd: stored.cwd, title: 'finished', labels: { team: 'a' } },
      prompt: 'sim:text',
      key: 'first',
    }
    expect(await peer.call('run.start', params)).toEqual(stored.answers.first)
    const { sessions } = await peer.call<{ sessions: Session[] }>('session.list')
    expect(sessions.map(({ session }) => session)).toEqual(Object.values(stored.sessions).reverse())
    const again = await peer.call<Run>('run.start', { session: stored.sessions.idle, prompt: 'sim:text' })
    expect(await ended(again.run)).toMatchObject({ state: 'done' })
  })
})

describe('a home of a newer version', () => {
  it('is rejected with one line that says to update muxd, and its database stays unchanged', async () => {
    const daemon = await startTestDaemon()
    await daemon.stop()
    const file = join(daemon.home, 'muxd.db')
    const db = openSqlite(file)
    db.pragma('user_version = 99')
    db.close()
    const before = readFileSync(file)
    const { code, stderr } = await failToStart(['--home', daemon.home, '--port', '0', '--simulate'])
    expect(code).toBe(3)
    expect(stderr).toMatch(
      /^muxd: \S+muxd\.db has schema version 99, this muxd knows versions up to \d+: update muxd\n$/,
    )
    expect(readFileSync(file).equals(before)).toBe(true)
  })
})
