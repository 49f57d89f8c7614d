import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openSqlite } from '../../daemon/store/sqlite/sqlite.ts'
import type { Run } from '../../protocol/index.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const timesIn = (text: string, part: string) => text.split(part).length - 1

it('a call that comes while the end of a run cannot be stored waits for that end', async () => {
  const daemon = await startTestDaemon()
  const peer = await daemon.peer()
  const prompt = 'sim:flood frames=1000000 size=10 rate=50'
  const run = await peer.call<Run>('run.start', { create: { cwd: tempDir() }, prompt })
  const topic = `session/${run.session}`
  await peer.call('topic.subscribe', { topic, since: 'start' })
  await until(() => expect(peer.events(topic).map(({ type }) => type)).toContain('assistant_text'))

  const db = openSqlite(join(daemon.home, 'muxd.db'))
  db.exec(`CREATE TRIGGER refuse BEFORE INSERT ON events BEGIN SELECT RAISE(FAIL, 'refused'); END`)
  // The output is refused first, and then the end of the run.
  await until(() => expect(timesIn(daemon.log(), 'events could not be stored')).toBeGreaterThan(1))
  db.exec('DROP TRIGGER refuse')
  db.close()

  // The process has the prompt, so a cancel cannot end the run by `nothing`.
  await peer.call('run.cancel', { run: run.run })
  const ended = await peer.call<Run>('run.wait', { run: run.run, timeoutMs: 30_000 })
  expect(ended).toMatchObject({ state: 'failed', result: { failure: { code: 'unknown' } } })
  await until(async () =>
    expect(await peer.call('session.get', { session: run.session })).toMatchObject({ state: 'idle', process: null }),
  )
})
