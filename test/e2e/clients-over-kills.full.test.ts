import { expect, it, onTestFinished } from 'vitest'
import { connect } from '../../client/sdk/index.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { isOpen, startFollower, timing } from '../support/follower.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { expectWholeLog, readLog } from '../support/whole-log.ts'

const flood = 'sim:flood frames=800 rate=800 size=200'

it('clients get every event once while daemons are killed and started again on the same port', async () => {
  let daemon = await startTestDaemon()
  const { home } = daemon
  const { url, token } = daemon.info
  const starter = await connect({ home, timing })
  onTestFinished(() => starter.close())
  const runs = await Promise.all([1, 2, 3].map(() => starter.run({ prompt: flood, cwd: tempDir() })))
  const sessions = runs.map(({ session }) => session)
  // Two clients find the daemon by its file, and two know its address.
  const followers = await Promise.all(
    [{ home }, { home }, { url, token }, { url, token }].map(options => startFollower(options, sessions)),
  )
  const seen = () => Math.min(...followers.flatMap(({ logs }) => [...logs.values()].map(({ length }) => length)))

  const kills = 3
  for (let count = 0; count < kills; count++) {
    const before = seen()
    await until(() => expect(seen()).toBeGreaterThan(before + 100))
    await daemon.kill()
    // Called while no daemon runs. The next daemon answers.
    const next = sessions.map(session => starter.run({ prompt: flood, session }))
    daemon = await startTestDaemon({ home, argv: ['--simulate', '--port', new URL(url).port] })
    expect(daemon.info.url).toBe(url)
    await Promise.all(next)
    for (const { mux } of followers) await isOpen(mux)
  }
  const last = await Promise.all(sessions.map(session => starter.run({ prompt: 'sim:text', session })))
  await Promise.all(last.map(run => run.result()))

  for (const [index, session] of sessions.entries()) {
    const log = await readLog(starter.api.topic.read, session)
    expect(log.at(-1)).toMatchObject({ type: 'done', run: last[index]!.id })
    for (const { logs } of followers) await until(() => expectWholeLog(logs.get(session)!, { log }))
    expect((await starter.api.run.list({ session })).runs).toHaveLength(kills + 2)
  }
  for (const { states } of followers) {
    expect(states).toEqual(Array.from({ length: kills }, () => ['recovering', 'open']).flat())
  }
})
