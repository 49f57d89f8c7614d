import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Run, Session } from '../../protocol/index.ts'
import { startTestDaemon } from '../support/daemon.ts'
import type { RpcPeer, WireEvent } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { expectWholeLog, readLog } from '../support/whole-log.ts'

const standIn = fileURLToPath(new URL('../fixtures/stand-ins/steps-of-prompt.mjs', import.meta.url))
const options = { argv: ['--claude-bin', standIn] }

const ended = (peer: RpcPeer, { run }: Run) => peer.call<Run>('run.wait', { run, timeoutMs: 30_000 })
const send = (peer: RpcPeer, session: string, prompt: string) => peer.call<Run>('run.start', { session, prompt })

/** Creates a session with a live process that has ended a run. */
async function idle() {
  const daemon = await startTestDaemon(options)
  const peer = await daemon.peer()
  const directory = tempDir()
  const log = join(directory, 'log')
  const env = { STAND_IN_LOG: log, STAND_IN_SIGINT: directory }
  const { session } = await peer.call<Session>('session.create', { cwd: tempDir(), options: { env } })
  expect(await ended(peer, await send(peer, session, '[]'))).toMatchObject({ state: 'done' })
  const { pid } = (await peer.call<Session>('session.get', { session })).process!
  /** Returns the prompts that each of the session's processes received. */
  const processes = () => {
    const lines = readFileSync(log, 'utf8').trim().split('\n')
    const prompts: string[][] = []
    for (const line of lines.map(
      text => JSON.parse(text) as { type?: string; message?: { content: [{ text: string }] } },
    ))
      if (!line.type) prompts.push([])
      else if (line.type === 'user') prompts.at(-1)!.push(line.message!.content[0].text)
    return prompts
  }
  return { daemon, peer, session, pid, directory, processes }
}

describe('a prompt sent to a process that ends', () => {
  it.each(['under one daemon', 'under the next daemon'])(
    'is sent to the next process if it was not read, %s',
    async how => {
      const { daemon, peer, session, pid, directory, processes } = await idle()
      process.kill(pid, 'SIGINT')
      await until(() => expect(existsSync(join(directory, 'arrived'))).toBe(true))
      const run = await send(peer, session, '[{"type":"system","subtype":"note"}]')
      await until(async () => expect(await peer.call('run.get', { run: run.run })).toMatchObject({ state: 'running' }))
      const isRestarted = how === 'under the next daemon'
      if (isRestarted) await daemon.kill()
      writeFileSync(join(directory, 'exit'), '')
      const later = isRestarted ? await (await startTestDaemon({ home: daemon.home, ...options })).peer() : peer
      expect(await ended(later, run)).toMatchObject({ state: 'done' })
      expect(processes()).toEqual([['[]'], ['[{"type":"system","subtype":"note"}]']])
      expectWholeLog(await readLog<WireEvent>(params => later.call('topic.read', params), session))
    },
  )

  it('fails if it was read, or if the process was started for it', async () => {
    const { peer, session, processes } = await idle()
    const failed = { state: 'failed', result: { failure: { retryable: true } } }
    expect(await ended(peer, await send(peer, session, 'arrive and exit'))).toMatchObject(failed)
    expect(await ended(peer, await send(peer, session, '[{"exit":0}]'))).toMatchObject({ state: 'failed' })
    expect(processes()).toEqual([['[]', 'arrive and exit'], ['[{"exit":0}]']])
  })
})
