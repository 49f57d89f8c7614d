import { parseTopic, type SessionsEvent, sessionsEvents, type TopicPattern } from '../../protocol/index.ts'
import { limits } from '../../protocol/limits.ts'
import type { AgentCodec } from '../agents/agent.ts'
import { secretFields } from '../rpc/secret-fields.ts'
import type { Store } from '../store/store.ts'
import { createFramesLog } from './logs/frames-log.ts'
import { createRingLog, latestOnly, type RingLog, sessionsRingBounds, workspacesRingBounds } from './logs/ring-log.ts'
import { createSessionLogs, type SessionLogs } from './logs/session-logs.ts'
import type { TopicLog, TopicLookup } from './logs/topic-log.ts'

/** The logs behind the topics of a daemon. */
export interface Topics {
  logs: SessionLogs
  sessions: RingLog
  daemon: RingLog
  workspaces: RingLog
  lookup: TopicLookup
}

const secrets = new Map(Object.entries(sessionsEvents).map(([type, schema]) => [type, secretFields(schema)]))

/** Masks the secrets in a record of `sessions`, because every client may read that topic. */
const withoutSecrets = (record: object): object =>
  (secrets.get((record as SessionsEvent).type)?.mask(record) as object | undefined) ?? record

export function createTopics(options: {
  store: Store
  instance: string
  processesDir: string
  /** The agents by kind. They parse the frames of their sessions. */
  agents: ReadonlyMap<string, AgentCodec>
}): Topics {
  const { store, instance, processesDir, agents } = options
  const { maxEventBytes } = limits
  const { epoch } = store
  const logs = createSessionLogs({ events: store.events, epoch, maxEventBytes })
  const sessions = createRingLog({ epoch: instance, maxEventBytes, shown: withoutSecrets, ...sessionsRingBounds })
  const daemon = createRingLog({ epoch: instance, maxEventBytes, ...latestOnly })
  const workspaces = createRingLog({ epoch: instance, maxEventBytes, ...workspacesRingBounds })
  const frames = new Map<string, TopicLog>()

  const framesOf = (session: string, kind: string): TopicLog | undefined => {
    const agent = agents.get(kind)
    if (!agent) return undefined
    const processes = () => store.processes.ofSession(session)
    const log = frames.get(session) ?? createFramesLog({ epoch, agent, processes, processesDir, maxEventBytes })
    frames.set(session, log)
    return log
  }

  const logOf: Record<TopicPattern, (session: string, agent: string) => TopicLog | undefined> = {
    'session/<id>': session => logs.open(session),
    'session/<id>/frames': framesOf,
    sessions: () => sessions,
    daemon: () => daemon,
    workspaces: () => workspaces,
  }

  return {
    logs,
    sessions,
    daemon,
    workspaces,
    lookup(topic) {
      const { pattern, session } = parseTopic(topic) ?? {}
      if (pattern === undefined) return undefined
      const record = session && store.sessions.get(session)
      if (session && !record) {
        frames.delete(session)
        return undefined
      }
      return logOf[pattern](session ?? '', record ? record.agent : '')
    },
  }
}
