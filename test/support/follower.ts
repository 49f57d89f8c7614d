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

/** Without `silenceMs`: a killed daemon closes its sockets, so clients need no timeout to notice. */
export const timing = { retryMinMs: 5, retryMaxMs: 100 }

/** Starts a client that follows sessions from their beginning and records each state that it reports. */
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
