import { expect, onTestFinished } from 'vitest'
import {
  type ConnectionState,
  connect,
  type Event,
  type Gap,
  type Mux,
  type NodeOptions,
} from '../../client/sdk/index.ts'
import { until } from './until.ts'

/** What is killed closes its sockets: nothing has to be found out by silence. */
export const timing = { retryMinMs: 5, retryMaxMs: 100 }

/** A client that follows sessions from their beginning, and every state that it told of. */
export async function startFollower(options: NodeOptions, sessions: string[]) {
  const mux = await connect({ ...options, timing })
  onTestFinished(() => mux.close())
  const states: ConnectionState[] = []
  mux.onState(state => states.push(state))
  const logs = new Map<string, (Event | Gap)[]>(sessions.map(session => [session, []]))
  const follow = async (session: string, log: (Event | Gap)[]) => {
    for await (const item of mux.subscribe(`session/${session}`, { since: 'start', window: 20_000 })) log.push(item)
  }
  for (const [session, log] of logs) follow(session, log).catch(() => {})
  return { mux, states, logs }
}

export const isOpen = (mux: Mux) => until(() => expect(mux.state).toBe('open'))
