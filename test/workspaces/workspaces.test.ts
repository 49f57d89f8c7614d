import { describe, expect, it } from 'vitest'
import type { WorkspaceSummary } from '../../protocol/index.ts'
import { limits } from '../../protocol/limits.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { until } from '../support/until.ts'

const layout = { grid: { root: { type: 'leaf', data: ['session:s_1'] } } }

describe('a workspace', () => {
  it('saved by one client is published to the others and kept over a restart', async () => {
    const daemon = await startTestDaemon()
    const [one, other] = [await daemon.peer('one'), await daemon.peer('other')]
    await other.call('topic.subscribe', { topic: 'workspaces', since: 'end' })
    const saved = await one.call<WorkspaceSummary>('workspace.save', { workspace: 'main', layout })
    expect(saved).toMatchObject({ workspace: 'main', revision: 1, by: { name: 'one' } })
    await until(() =>
      expect(other.events('workspaces')).toMatchObject([
        { type: 'workspace_changed', workspace: { ...saved, layout } },
      ]),
    )

    await daemon.stop()
    const next = await (await startTestDaemon({ home: daemon.home })).peer()
    expect(await next.call('workspace.get', { workspace: 'main' })).toEqual({ ...saved, layout })
    expect(await next.call('workspace.list')).toEqual({ workspaces: [saved] })
  })

  it('is not replaced by a save with another base revision', async () => {
    const peer = await (await startTestDaemon()).peer()
    const save = (base: number | undefined, of: unknown = layout) =>
      peer.call<WorkspaceSummary>('workspace.save', {
        workspace: 'main',
        layout: of,
        ...(base !== undefined && { base }),
      })
    expect(await save(0)).toMatchObject({ revision: 1 })
    expect(await save(1)).toMatchObject({ revision: 2 })
    for (const base of [0, 1, 3])
      await expect(save(base)).rejects.toMatchObject({ error: { data: { kind: 'conflict', revision: 2 } } })
    expect(await save(undefined, { other: true })).toMatchObject({ revision: 3 })
  })

  it('is rejected when it is too large, misnamed, one too many or unknown', async () => {
    const peer = await (await startTestDaemon()).peer()
    const refused = (method: string, params: object, data: object) =>
      expect(peer.call(method, params)).rejects.toMatchObject({ error: { data } })
    const large = { text: 'x'.repeat(limits.maxLayoutBytes) }
    await refused('workspace.save', { workspace: 'main', layout: large }, { kind: 'invalid_params', path: '/layout' })
    await refused('workspace.save', { workspace: '../x', layout }, { kind: 'invalid_params', path: '/workspace' })
    await refused('workspace.save', { workspace: 'main' }, { kind: 'invalid_params', path: '/layout' })
    await refused('workspace.get', { workspace: 'none' }, { kind: 'not_found', workspace: 'none' })
    for (let count = 0; count < limits.maxWorkspaces; count++)
      await peer.call('workspace.save', { workspace: `w${count}`, layout: count })
    await refused('workspace.save', { workspace: 'more', layout }, { kind: 'limit', limit: 'maxWorkspaces' })
    await peer.call('workspace.save', { workspace: 'w0', layout })
    await peer.call('workspace.delete', { workspace: 'w0' })
    await refused('workspace.delete', { workspace: 'w0' }, { kind: 'not_found' })
    await peer.call('workspace.save', { workspace: 'more', layout })
  })
})
