import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { ClaudeOptions, Run, Session } from '../../protocol/index.ts'
import { startTestDaemon } from '../support/daemon.ts'
import type { RpcPeer } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { readLog } from '../support/whole-log.ts'

const standIn = fileURLToPath(new URL('../fixtures/stand-ins/steps-of-prompt.mjs', import.meta.url))

/** With `idleCloseMs: 0`, each run gets its own process. */
const open = async (config: object = {}) => {
  const daemon = await startTestDaemon({ argv: ['--claude-bin', standIn], config: { idleCloseMs: 0, ...config } })
  return daemon.peer()
}
const run = async (peer: RpcPeer, session: string, steps: object[] = []) => {
  const { run: id } = await peer.call<Run>('run.start', { session, prompt: JSON.stringify(steps) })
  expect(await peer.call('run.wait', { run: id })).toMatchObject({ state: 'done' })
}
const create = (peer: RpcPeer, options: ClaudeOptions = {}) =>
  peer.call<Session>('session.create', { cwd: tempDir(), options })
/** Returns the permission modes that the session's processes were started with. */
const modes = async (peer: RpcPeer, session: string) =>
  (await readLog(params => peer.call('topic.read', params), session)).flatMap(event =>
    event.type === 'session_init' ? [event['permissionMode']] : [],
  )
const reports = (permissionMode: string) => ({ type: 'system', subtype: 'status', status: null, permissionMode })

describe('the permission mode of a session', () => {
  it.each<[string, ClaudeOptions, string, object]>([
    ['acceptEdits', { permissionMode: 'plan' }, 'acceptEdits', {}],
    ['default', { permissionMode: 'acceptEdits' }, 'default', {}],
    ['plan', {}, 'plan', {}],
    ['bypassPermissions', { permissionMode: 'plan' }, 'bypassPermissions', { allowBypassPermissions: true }],
    ['plan', { permissionMode: 'plan' }, 'bypassPermissions', {}],
    ['plan', { permissionMode: 'plan' }, 'modeOfTomorrow', {}],
  ])(
    'is %s in the next process after the options %j and a report of %s, with the configuration %j',
    async (next, options, reported, config) => {
      const peer = await open(config)
      const { session } = await create(peer, options)
      await run(peer, session, [reports(reported)])
      expect(await peer.call('session.get', { session })).toMatchObject({ options, permissionMode: reported })
      await run(peer, session)
      expect(await modes(peer, session)).toEqual([options.permissionMode ?? 'default', next])
    },
  )

  it('is the one of a session.update that follows a report of another mode', async () => {
    const peer = await open()
    const { session } = await create(peer, { permissionMode: 'plan' })
    await run(peer, session, [reports('acceptEdits')])
    const updated = await peer.call<Session>('session.update', { session, permissionMode: 'default' })
    expect(updated).not.toHaveProperty('permissionMode')
    await run(peer, session)
    expect(await modes(peer, session)).toEqual(['plan', 'default'])
  })
})
