import { expect, it } from 'vitest'
import type { Viewer } from '../../protocol/index.ts'
import { startTestDaemon } from '../support/daemon.ts'
import type { RpcPeer } from '../support/rpc-peer.ts'
import { until } from '../support/until.ts'

const namesIn = (viewers: Viewer[]) => viewers.map(({ name, role }) => `${name} ${role}`)
const viewersOf = async (peer: RpcPeer, session: string) =>
  namesIn((await peer.call<{ viewers: Viewer[] }>('session.viewers', { session })).viewers)

it('session.viewers and viewers_changed list the viewers of a session until they leave', async () => {
  const daemon = await startTestDaemon()
  const asks = await daemon.peer('asks')
  const { session } = await asks.call<{ session: string }>('session.create', { cwd: daemon.home })
  const topic = `session/${session}`
  await asks.call('topic.subscribe', { topic: 'sessions' })
  const told = () =>
    asks
      .events('sessions')
      .filter(({ type }) => type === 'viewers_changed')
      .map(event => ({ session: event['session'], names: namesIn(event['viewers'] as Viewer[]) }))
  const lastTold = (names: string[]) => until(() => expect(told().at(-1)).toEqual({ session, names }))

  const page = await daemon.peer('page')
  const wall = await daemon.peer('wall', daemon.info.observeToken)
  await page.call('topic.subscribe', { topic })
  await lastTold(['page control'])
  await wall.call('topic.subscribe', { topic })
  await wall.call('topic.subscribe', { topic: `${topic}/frames` })
  await lastTold(['page control', 'wall observe'])
  expect(await viewersOf(asks, session)).toEqual(['page control', 'wall observe'])

  // A moved cursor does not count as another viewer.
  await page.call('topic.subscribe', { topic, since: 'start' })
  expect(await viewersOf(wall, session)).toEqual(['page control', 'wall observe'])
  wall.terminate()
  await lastTold(['page control'])
  await page.call('topic.unsubscribe', { topic })
  await lastTold([])
  await page.call('topic.subscribe', { topic })
  await lastTold(['page control'])
  await page.close()
  await lastTold([])

  // Viewers are not part of the session's log.
  expect(await asks.call('topic.read', { topic, after: 0 })).toMatchObject({ events: [] })
  await asks.call('session.delete', { session })
  await expect(viewersOf(asks, session)).rejects.toMatchObject({ error: { data: { kind: 'not_found' } } })
})
