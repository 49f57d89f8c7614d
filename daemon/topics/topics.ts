import { limits } from '../../protocol/limits.ts'
import type { Store } from '../store/store.ts'
import { createFramesLog } from './frames-log.ts'
import { createRingLog, latestOnly, type RingLog, sessionsRingBounds, workspacesRingBounds } from './ring-log.ts'
import { createSessionLogs, type SessionLogs } from './session-logs.ts'
import type { TopicLog, TopicLookup } from './topic-log.ts'

/** The logs behind the topics of a daemon. */
export interface Topics {
  logs: SessionLogs
  sessions: RingLog
  daemon: RingLog
  workspaces: RingLog
  lookup: TopicLookup
}

export function createTopics(options: { store: Store; instance: string; processesDir: string }): Topics {
  const { store, instance, processesDir } = options
  const { maxEventBytes } = limits
  const { epoch } = store
  const logs = createSessionLogs({ events: store.events, epoch, maxEventBytes })
  const sessions = createRingLog({ epoch: instance, maxEventBytes, ...sessionsRingBounds })
  const daemon = createRingLog({ epoch: instance, maxEventBytes, ...latestOnly })
  const workspaces = createRingLog({ epoch: instance, maxEventBytes, ...workspacesRingBounds })
  const frames = new Map<string, TopicLog>()

  const framesOf = (session: string): TopicLog => {
    const processes = () => store.processes.ofSession(session)
    const log = frames.get(session) ?? createFramesLog({ epoch, processes, processesDir, maxEventBytes })
    frames.set(session, log)
    return log
  }

  return {
    logs,
    sessions,
    daemon,
    workspaces,
    lookup(topic) {
      if (topic === 'sessions') return sessions
      if (topic === 'daemon') return daemon
      if (topic === 'workspaces') return workspaces
      const [, session = '', kind] = /^session\/([^/]+)(?:\/(.+))?$/.exec(topic) ?? []
      if (!store.sessions.get(session)) {
        frames.delete(session)
        return undefined
      }
      if (kind === undefined) return logs.open(session)
      return kind === 'frames' ? framesOf(session) : undefined
    },
  }
}
