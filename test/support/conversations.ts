import { randomUUID } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Run, Session } from '../../protocol/index.ts'
import { live, play, resultOf } from './simulator.ts'
import { startTestDaemon, type TestDaemon } from './daemon.ts'
import type { RpcPeer } from './rpc-peer.ts'
import { tempDir } from './temp-dir.ts'
import { expectWholeLog, readLog } from './whole-log.ts'

/** Shared one-line calls for tests of sessions and their conversations. */

/** Starts a daemon and a client. Daemons with the same `user` share conversations and claims. */
export const open = async (user = tempDir(), options: Parameters<typeof startTestDaemon>[0] = {}) => {
  const env = { MUXD_SIMULATOR_HOME: join(user, 'claude'), XDG_STATE_HOME: join(user, 'state'), ...options.env }
  const daemon = await startTestDaemon({ ...options, env })
  return [daemon, await daemon.peer('controller'), user] as [TestDaemon, RpcPeer, string]
}

export const create = (peer: RpcPeer, params: object = {}) =>
  peer.call<Session>('session.create', { cwd: tempDir(), ...params })
export const get = (peer: RpcPeer, { session }: { session: string }) => peer.call<Session>('session.get', { session })
export const start = (peer: RpcPeer, { session }: { session: string }, prompt: string) =>
  peer.call<Run>('run.start', { session, prompt })
export const ended = (peer: RpcPeer, { run }: Run) => peer.call<Run>('run.wait', { run })
export const say = async (peer: RpcPeer, session: { session: string }, prompt: string) =>
  await ended(peer, await start(peer, session, prompt))
export const response = async (peer: RpcPeer, session: { session: string }, prompt: string) =>
  (await say(peer, session, prompt)).result!.response
export const history = (peer: RpcPeer, session: { session: string }) => response(peer, session, 'sim:history')
export const close = (peer: RpcPeer, { session }: { session: string }) =>
  peer.call<Session>('session.close', { session })
export const update = (peer: RpcPeer, { session }: { session: string }, changes: object) =>
  peer.call<Session>('session.update', { session, ...changes })
export const fork = (peer: RpcPeer, { session }: { session: string }, params: object = {}) =>
  peer.call<Session>('session.fork', { session, ...params })
export const logOf = async (peer: RpcPeer, { session }: { session: string }) => {
  const log = await readLog(params => peer.call('topic.read', params), session)
  expectWholeLog(log)
  return log
}
export const refusal = (call: Promise<unknown>) =>
  call.then(
    result => expect.fail(`not refused: ${JSON.stringify(result)}`),
    ({ error }: { error: { message: string; data: Record<string, unknown> } }) => ({
      ...error.data,
      message: error.message,
    }),
  )

/** Creates a conversation as `claude` in a terminal would. */
export const conversation = async (user: string, cwd: string, ...prompts: string[]) => {
  const id = randomUUID()
  let costUsd = 0
  for (const [index, prompt] of prompts.entries()) {
    const which = [index === 0 ? '--session-id' : '--resume', id]
    const { frames } = await play(prompt, [...live, ...which], { home: join(user, 'claude'), cwd })
    costUsd = resultOf(frames)['total_cost_usd'] as number
  }
  return { id, costUsd }
}

const files = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true }).flatMap(entry =>
    entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
  )
export const transcriptOf = (user: string, id: string) =>
  files(join(user, 'claude')).find(file => file.endsWith(`${id}.jsonl`))!
