import { createLoadedSessions, type SessionsContext } from './loaded-sessions.ts'
import { createCreation, type SessionCreation } from './session-creation.ts'
import { createEnd, type SessionEnd } from './session-end.ts'
import { createReading, type SessionReading } from './session-reading.ts'
import { createWork, type SessionWork } from './session-work.ts'
import { takeOver } from './take-over.ts'

/**
 * All sessions of a daemon. Those at work are in memory, the others in the store until a call needs them. Every member
 * throws `RpcError` for a mistake of the caller.
 */
export interface Sessions extends SessionReading, SessionCreation, SessionWork, SessionEnd {
  /** The number of sessions that have a process. */
  readonly processes: number
  /** Takes over what an earlier daemon left. Called once, before anything else. */
  takeOver(): void
  /** Ends all runs and processes. Nothing can be started any more. */
  shutdown(reason: string): Promise<void>
  /** Stops acting and leaves everything running, for the next daemon to take over. */
  leave(): Promise<void>
}

export function createSessions(context: SessionsContext): Sessions {
  const loaded = createLoadedSessions(context)
  const { live } = loaded
  const reading = createReading(loaded)

  return {
    ...reading,
    ...createCreation(loaded),
    ...createWork(loaded, reading),
    ...createEnd(loaded, reading),
    get processes() {
      return [...live.values()].filter(({ record }) => record.process !== null).length
    },
    takeOver: () => takeOver(loaded),
    async shutdown(reason) {
      loaded.isStopping = true
      await Promise.all([...live.values()].map(session => session.shutdown(reason)))
    },
    async leave() {
      loaded.isStopping = true
      const left = [...live.values()]
      live.clear()
      await Promise.all(left.map(session => session.leave()))
    },
  }
}
