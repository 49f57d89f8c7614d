import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { muxd } from '../cli/muxd.ts'
import { describeWithPages } from '../client/chromium.ts'
import { connect, type RunHandle, type Session } from '../../client/sdk/index.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { buildProtocol1 } from '../support/previous-protocol.ts'
import { createTempDir, tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { expectWholeLog, readLog } from '../support/whole-log.ts'
import { openSession, originOf, sees, watchForFaults } from '../workspace/page.ts'

const temporary = createTempDir()
afterAll(() => temporary.remove())
/** The output of a build of the last commit that spoke protocol 1. */
let build1: string
beforeAll(() => {
  build1 = buildProtocol1(temporary.path)
}, 120_000)

/** What the test uses of the SDK of protocol 1. */
interface Mux1 {
  state: string
  run(options: object): Promise<RunHandle & { session: string }>
  api: Record<string, Record<string, (params: object) => Promise<never>>>
  close(): void
}
async function connect1(home: string): Promise<Mux1> {
  const sdk = (await import(pathToFileURL(join(build1, 'client/index.js')).href)) as {
    connect(options: object): Promise<Mux1>
  }
  return sdk.connect({ home })
}

type Read = (params: { topic: string; after: number; limit: number }) => Promise<object>

describeWithPages('a daemon of protocol 1', newPage => {
  it('is replaced by muxd restart while runs go on: nothing is lost, and records have their new names', async () => {
    const old = await startTestDaemon({ daemonProgram: join(build1, 'daemon.js') })
    const { home } = old
    const env = {
      MUXD_SIMULATOR_HOME: `${home}-simulator`,
      MUXD_SIMULATOR_SPEED: '100',
      XDG_STATE_HOME: `${home}-state`,
      TEST_DAEMON: home,
    }
    const call = (...argv: string[]) => muxd([...argv, '--home', home], { env }).ended
    const mux1 = await connect1(home)
    const methods1 = (namespace: string) => mux1.api[namespace]!

    const ended = await mux1.run({ cwd: tempDir(), prompt: 'sim:text said before', claude: { model: 'large' } })
    await ended.result()
    const fork = { session: ended.session, key: 'fork' }
    const forked: { session: string } = await methods1('session')['fork']!(fork)
    const going = await mux1.run({
      cwd: tempDir(),
      title: 'goes on',
      prompt: 'sim:slow delayMs=5000 words=10000',
    })
    const queued = await mux1.run({ session: going.session, prompt: 'sim:text was queued' })
    const asking = await mux1.run({ cwd: tempDir(), title: 'asks', prompt: 'sim:permission' })
    const sessions = [ended, forked, going, asking].map(({ session }) => session)
    const approval = await until(async () => {
      const { approvals }: { approvals: { approval: string }[] } = await methods1('approval')['list']!({})
      expect(approvals).toHaveLength(1)
      return approvals[0]!.approval
    })
    const page = await newPage()
    watchForFaults(page, originOf(old.info))
    const link: { url: string } = await methods1('token')['link']!({ role: 'control' })
    await page.goto(link.url)
    await openSession(page, /goes on/)
    let loads = 0
    page.on('load', () => loads++)
    const logs = new Map<string, object[]>()
    for (const id of sessions) logs.set(id, await readLog(methods1('topic')['read'] as Read, id))

    // The command line of protocol 2 looks at the daemon of protocol 1, and replaces it.
    const status = await call('status')
    expect(status).toMatchObject({ code: 0, stdout: expect.stringContaining('protocol 1: muxd restart replaces it') })
    expect(status.stdout).toMatch(/pty-host +pid \d+, .*3 processes/)
    expect(await call('ls')).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/session\.list needs protocol 2 .* with protocol 1: muxd restart replaces it/),
    })
    expect(await call('restart')).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/3 live processes kept; muxd \S+ with protocol 1 is now muxd \S+ with protocol 2/),
    })
    expect(await old.ended()).toBe(0)

    try {
      // Clients of protocol 1 are refused in words; the page loads itself again.
      await until(() => expect(mux1.state).toBe('closed'))
      // The refusal of `hello` or the `bye` behind it, whichever that SDK takes first: both have the same words.
      await expect(methods1('session')['list']!({})).rejects.toThrow(
        /speaks protocol 1, this daemon \(muxd \S+\) speaks 2: update the client/,
      )
      const cli1 = spawnSync(process.execPath, [join(build1, 'muxd.js'), 'status', '--home', home], { env })
      expect(cli1).toMatchObject({ status: 3 })
      expect(cli1.stderr.toString()).toContain('update the client')
      await sees(page, 'goes on')
      await until(() => expect(loads).toBe(1))

      const mux = await connect({ home })
      const get = (session: string) => mux.api.session.get({ session })
      const records = await Promise.all(sessions.map(get))
      expect(records).toMatchObject([
        { agent: 'claude', options: { model: 'large' }, conversationId: expect.any(String) },
        { agent: 'claude', options: { model: 'large' }, conversationId: null },
        { agent: 'claude', options: {}, state: 'running' },
        { agent: 'claude', options: {}, conversationId: expect.any(String), state: 'waiting' },
      ])
      expect(records[1]!.forkedFrom?.conversation?.conversationId).toBe(records[0]!.conversationId)
      for (const record of records) {
        expect(record).not.toHaveProperty('claude')
        expect(record).not.toHaveProperty('claudeSessionId')
      }
      // A repeated call gets the answer that the daemon of protocol 1 has kept, with the new names.
      const again: Session = await mux.api.session.fork(fork)
      expect(again).toMatchObject({ session: forked.session, agent: 'claude', options: { model: 'large' } })

      // Everything goes on.
      await mux.api.approval.answer({ approval, decision: 'allow' })
      expect(await mux.attach(asking.id).wait()).toMatchObject({ state: 'done' })
      await mux.attach(going.id).cancel('enough')
      expect(await mux.attach(going.id).wait()).toMatchObject({ state: 'cancelled' })
      expect(await mux.attach(queued.id).result()).toMatchObject({ response: 'was queued' })
      for (const session of [ended.session, forked.session]) {
        const run = await mux.run({ session, prompt: 'sim:history' })
        expect((await run.result()).response).toContain('said before')
      }
      for (const [id, before] of logs) {
        const log = await readLog(mux.api.topic.read, id)
        expectWholeLog(log)
        expect(log.slice(0, before.length)).toEqual(before)
        expect(log.map(({ type }) => type)).not.toContain('log_damaged')
      }
      mux.close()
      mux1.close()
    } finally {
      expect(await call('stop')).toMatchObject({ code: 0 })
    }
  }, 240_000)
})
