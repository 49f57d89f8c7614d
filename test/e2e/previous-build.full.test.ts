import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Run } from '../../protocol/index.ts'
import { openSqlite } from '../../daemon/store/sqlite/sqlite.ts'
import { changedBuild } from '../support/changed-build.ts'
import { program, startTestDaemon } from '../support/daemon.ts'
import { goingOn } from '../support/printing.ts'
import type { RpcPeer, WireEvent } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { expectWholeLog, readLog } from '../support/whole-log.ts'

/** Creates a copy of the build that differs in one translation: another number for a `tool_progress` without a time. */
const previousBuild = () =>
  changedBuild('msOf(frame.elapsed_time_seconds, 1e3) ?? 0', 'msOf(frame.elapsed_time_seconds, 1e3) ?? 7')

const log = (peer: RpcPeer, session: string) => readLog<WireEvent>(params => peer.call('topic.read', params), session)

/** Creates a home whose daemon, of the previous build, was killed while it translated a live process's output. */
async function killedPrevious() {
  const daemon = await startTestDaemon({ daemonProgram: previousBuild() })
  const peer = await daemon.peer()
  const lines = [
    { type: 'system', subtype: 'init', tools: [] },
    { type: 'tool_progress', tool_use_id: 'toolu_1' },
    { type: 'assistant', message: { id: 'msg_1', content: [{ type: 'text', text: 'hello' }] } },
  ]
  const run = await peer.call<Run>('run.start', { create: { cwd: tempDir() }, prompt: goingOn(lines) })
  await until(async () => expect((await log(peer, run.session)).map(({ type }) => type)).toContain('assistant_text'), {
    timeout: 30_000,
  })
  const before = await log(peer, run.session)
  expect(before).toContainEqual(expect.objectContaining({ type: 'tool_progress', elapsedMs: 7 }))
  await daemon.kill()
  return { home: daemon.home, run, before }
}

it('a daemon that takes over a live session of the previous build keeps its events and reports no damage', async () => {
  const { home, run, before } = await killedPrevious()
  for (let restart = 0; restart < 2; restart++) {
    const daemon = await startTestDaemon({ home })
    const peer = await daemon.peer()
    // The daemon continues to translate new output.
    await until(
      async () => expect((await log(peer, run.session)).length).toBeGreaterThan(before.length + 3 * (restart + 1)),
      { timeout: 30_000 },
    )
    const events = await log(peer, run.session)
    expect(events.slice(0, before.length)).toEqual(before)
    expect(events.map(({ type }) => type)).not.toContain('log_damaged')
    if (restart === 0) await daemon.kill()
    else {
      await peer.call('run.cancel', { run: run.run, mode: 'kill' })
      expect(await peer.call<Run>('run.wait', { run: run.run })).toMatchObject({ state: 'cancelled' })
      expectWholeLog(await log(peer, run.session))
    }
  }
})

it('stored events that differ are reported as log_damaged if the same build derived them', async () => {
  const { home, run } = await killedPrevious()
  const build = createHash('sha256').update(readFileSync(program)).digest('base64url')
  const database = openSqlite(join(home, 'muxd.db'))
  database.prepare<[string]>('UPDATE processes SET translator = ?').run(build)
  database.close()
  const daemon = await startTestDaemon({ home })
  const peer = await daemon.peer()
  expect((await log(peer, run.session)).map(({ type }) => type)).toContain('log_damaged')
  await peer.call('run.cancel', { run: run.run, mode: 'kill' })
  await peer.call('run.wait', { run: run.run })
})
