import { describe, expect, it } from 'vitest'
import { createSessionRecord } from '../../../client/workspace/conversation/session-record.ts'
import type { Run } from '../../../protocol/index.ts'
import { closeAfterTest, connectForTest, peerForTest } from '../../client/harness.ts'
import type { Peer } from '../../client/peer.ts'
import { run as recordOf, session } from '../../support/records.ts'
import { until } from '../../support/until.ts'

const runOf = (id: string, fields: Partial<Run>): Run => recordOf(id, 's_1', fields).run

/** A daemon with these runs, whose lists have pages of two. */
async function peerWith(runs: Run[]): Promise<Peer> {
  const peer = await peerForTest()
  peer.on('session.get', () => session('s_1'))
  peer.on('run.list', ({ state, after }) => {
    const found = runs.filter(run => run.state === state)
    const from = found.findIndex(({ run }) => run === after) + 1
    const page = found.slice(from, from + 2)
    return { runs: page, ...(from + 2 < found.length && { next: page.at(-1)!.run }) }
  })
  return peer
}

async function recordFor(peer: Peer) {
  const mux = await connectForTest({ url: peer.url })
  return closeAfterTest(createSessionRecord(mux, 's_1', () => {}))
}

describe('the record of a session in a pane', () => {
  it('has all queued runs, over all pages of the list', async () => {
    const queued = [1, 2, 3, 4, 5].map(place => runOf(`r_${place}`, { state: 'queued', position: place - 1 }))
    const record = await recordFor(await peerWith(queued))
    await until(() => expect(record.queued.map(({ run }) => run)).toEqual(['r_1', 'r_2', 'r_3', 'r_4', 'r_5']))
  })

  it('is read again when the connection breaks while the lists are read after a gap', async () => {
    const runs = [runOf('r_1', { state: 'running' })]
    const peer = await peerWith(runs)
    const log = { epoch: 'e1', first: 1, head: 0 }
    peer.logs.set('sessions', log)
    const record = await recordFor(peer)
    await until(() => expect(peer.calls('topic.subscribe')).toHaveLength(1))
    await until(() => expect(record.running?.run).toBe('r_1'))

    // The daemon comes back with another log. The connection is lost again before the daemon has answered.
    Object.assign(log, { epoch: 'e2' })
    runs.splice(0, 1, runOf('r_2', { state: 'running' }))
    let isLost = false
    peer.on('session.get', () => {
      if (isLost) return session('s_1')
      isLost = true
      peer.cut()
      return undefined
    })
    peer.cut()
    await until(() => expect(record.running?.run).toBe('r_2'))
    expect(isLost).toBe(true)
  })
})
