import { randomInt } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { Run, Session } from '../../protocol/index.ts'
import { ptyHostsOf, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { isAlive } from '../support/processes.ts'
import type { RpcPeer } from '../support/rpc-peer.ts'
import { standIn } from '../support/stand-in.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const patience = { timeout: 30_000, interval: 20 }

/**
 * The script of a stand-in that starts three processes with a tool call (none if the prompt is `more`). The turn then
 * ends, or hangs after the tool's end if the prompt is `hang`.
 */
const startingProcesses = (seconds: number) => `
  import { spawn } from 'node:child_process'
  const start = (name, options) => spawn('/bin/sleep', ['${seconds}.' + name], { stdio: 'ignore', ...options }).unref()
  const tool = content => ({ type: 'user', message: { role: 'user', content: [content] } })
  serve(async (uuid, prompt) => {
    init(uuid)
    if (prompt !== 'more') {
      start('1', {})
      start('2', { detached: true })
      start('3', { detached: true, env: {} })
    }
    say({ type: 'assistant', message: { id: 'msg_1', role: 'assistant', model: 'stand-in', usage: {}, stop_reason: null,
      content: [{ type: 'tool_use', id: 'toolu_1', name: 'Bash', input: { command: 'sleep' } }] } })
    say(tool({ type: 'tool_result', tool_use_id: 'toolu_1', content: 'started' }))
    text('ready')
    if (prompt === 'hang') await new Promise(() => setInterval(() => {}, 1000))
    result(uuid)
  })`

describe('a process that Claude Code has started', () => {
  let daemon: TestDaemon
  let peer: RpcPeer
  let seconds: number
  let argv: string[]

  beforeEach(async () => {
    seconds = randomInt(1_000_000, 2_000_000)
    onTestFinished(() => {
      for (const [pid] of sleeping()) process.kill(pid, 'SIGKILL')
    })
    argv = ['--claude-bin', standIn(startingProcesses(seconds))]
    daemon = await startTestDaemon({ argv })
    peer = await daemon.peer()
  })

  const sleeping = (): [pid: number, name: string][] =>
    readdirSync('/proc').flatMap(name => {
      try {
        const [, which] =
          new RegExp(`^/bin/sleep\0${seconds}\\.(\\d)\0`).exec(readFileSync(`/proc/${name}/cmdline`, 'latin1')) ?? []
        return which ? [[Number(name), which]] : []
      } catch {
        return []
      }
    })
  const names = () =>
    sleeping()
      .map(([, name]) => name)
      .toSorted()
  const start = async (prompt = 'go') => {
    const run = await peer.call<Run>('run.start', { create: { cwd: tempDir() }, prompt })
    const topic = `session/${run.session}`
    await peer.call('topic.subscribe', { topic, since: 'start' })
    await until(
      () => expect(peer.events(topic)).toContainEqual(expect.objectContaining({ type: 'assistant_text' })),
      patience,
    )
    if (prompt !== 'hang') await peer.call('run.wait', { run: run.run })
    expect(names()).toEqual(['1', '2', '3'])
    return run
  }
  const get = ({ session }: { session: string }, at = peer) => at.call<Session>('session.get', { session })
  const listed = ({ left }: Session) =>
    (left?.processes ?? []).map(({ pid }) => pid).toSorted((one, other) => one - other)
  const detached = () =>
    sleeping()
      .flatMap(([pid, name]) => (name === '1' ? [] : [pid]))
      .toSorted((one, other) => one - other)

  it('outlives a close if it is detached, is listed in left, and ends with a sweep', async () => {
    const { session } = await start()
    const closed = await peer.call<Session>('session.close', { session })
    expect(names()).toEqual(['2', '3'])
    expect(listed(closed)).toEqual(detached())
    expect(closed.left).toMatchObject({
      more: 0,
      processes: [{ command: `/bin/sleep ${seconds}.2` }, { command: `/bin/sleep ${seconds}.3` }],
    })
    for (const { startedAt } of closed.left!.processes) expect(Math.abs(Date.now() - startedAt)).toBeLessThan(120_000)
    const third = sleeping().find(([, name]) => name === '3')
    process.kill(third![0], 'SIGKILL')
    await until(async () => expect(listed(await get({ session }))).toEqual(detached()), patience)
    expect(detached()).toHaveLength(1)
    const swept = await peer.call<Session>('session.close', { session, sweep: true })
    expect(swept.left).toBeUndefined()
    expect(names()).toEqual([])
  })

  it('is ended when the run is cancelled with mode terminate', async () => {
    const run = await start('hang')
    await peer.call('run.cancel', { run: run.run, mode: 'terminate' })
    expect(await peer.call('run.wait', { run: run.run })).toMatchObject({ state: 'cancelled' })
    await until(() => expect(names()).toEqual([]), patience)
    expect((await get(run)).left).toBeUndefined()
  })

  it('is ended when Claude Code is killed from outside', async () => {
    const run = await start()
    const { process: claude } = await get(run)
    process.kill(claude!.pid, 'SIGKILL')
    await until(() => expect(names()).toEqual([]), patience)
  })

  it('is ended when its session is deleted, also if a close left it running', async () => {
    const { session } = await start()
    await peer.call('session.close', { session })
    expect(names()).toEqual(['2', '3'])
    await peer.call('session.delete', { session })
    expect(names()).toEqual([])
  })

  it('is ended by the next pty-host after a killed one, also without an environment', async () => {
    await start('hang')
    const [ptyHost] = ptyHostsOf(daemon.home)
    // The pty-host writes the note a moment after the tool's end is reported.
    await until(
      () => expect(readdirSync(`${daemon.home}/processes`).filter(name => name.endsWith('.started'))).toHaveLength(1),
      patience,
    )
    process.kill(ptyHost!, 'SIGKILL')
    await until(() => expect(names()).toEqual([]), patience)
  })

  it('outlives a daemon that stops without a run, and the next one lists it', async () => {
    const { session } = await start()
    await daemon.stop()
    expect(names()).toEqual(['2', '3'])
    const next = await (await startTestDaemon({ home: daemon.home, argv })).peer()
    expect(listed(await get({ session }, next))).toEqual(detached())
    await next.call('session.close', { session, sweep: true })
  })

  it('is ended when the daemon stops during the run', async () => {
    await start('hang')
    await daemon.stop()
    expect(names()).toEqual([])
  })

  it('is ended by the next daemon if Claude Code was killed while no daemon ran', async () => {
    const run = await start()
    const { process: claude } = await get(run)
    await daemon.kill()
    process.kill(claude!.pid, 'SIGKILL')
    await until(() => expect(isAlive(claude!.pid)).toBe(false), patience)
    await startTestDaemon({ home: daemon.home, argv })
    await until(() => expect(names()).toEqual([]), patience)
  })
})
