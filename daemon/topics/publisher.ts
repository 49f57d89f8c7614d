import type { Publisher } from '../store/journal/publish.ts'
import type { Hub } from './delivery/hub.ts'
import type { RingLog } from './logs/ring-log.ts'
import type { SessionLogs } from './logs/session-logs.ts'

/** Adds what the journal publishes to the logs of its topics. Subscribers get it at the end of the turn. */
export function createPublisher(options: {
  logs: SessionLogs
  sessions: RingLog
  hub: Hub
  now: () => number
}): Publisher {
  const { logs, sessions, hub, now } = options
  return {
    sessionEvents(session, rows) {
      logs.publish(session, rows)
      hub.published(`session/${session}`)
    },
    record(record) {
      sessions.append(record, now())
      hub.published('sessions')
      if (record.type !== 'session_deleted') return
      logs.drop(record.session)
      for (const suffix of ['', '/frames']) hub.closed(`session/${record.session}${suffix}`)
    },
  }
}
