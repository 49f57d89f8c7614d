import { Type, type Static, type TSchema } from 'typebox'
import { events } from './events.ts'
import { DaemonEvent, FrameEvent, sessionsEvents } from './topic-events.ts'
import { workspacesEvents } from './workspace.ts'

/**
 * The topics: named streams of events, each with its own contiguous `seq` and its own `epoch`. One row for each topic:
 * its name, where `<id>` stands for the id of a session, and its events by `type`. The `Topic` schema, the daemon's
 * lookup of logs and the types of the SDK are derived from this table.
 */
export const topics = {
  /** Every event of a session. */
  'session/<id>': events,
  /** The untranslated frames of a session, as Claude Code printed them. */
  'session/<id>/frames': { frame: FrameEvent },
  /** The records of sessions, runs and approvals as they change. */
  sessions: sessionsEvents,
  /** The layouts of pages as they are saved. */
  workspaces: workspacesEvents,
  /** Health and shutdown notices. Keeps the latest value only. */
  daemon: { daemon_status: DaemonEvent },
} satisfies Record<string, Record<string, TSchema>>

export type TopicPattern = keyof typeof topics

type NameOf<Pattern extends string> = Pattern extends `${infer Head}<id>${infer Tail}`
  ? `${Head}${string}${Tail}`
  : Pattern
/** Names of topics: `sessions`, `session/s_1`. */
export type TopicName = NameOf<TopicPattern>

type Matches<Topic, Pattern> = Pattern extends `${infer Head}<id>${infer Tail}`
  ? Topic extends `${Head}${infer Id}${Tail}`
    ? Id extends `${string}/${string}`
      ? false
      : true
    : false
  : Topic extends Pattern
    ? true
    : false
type EventIn<Events> = {
  [Type in keyof Events]: Events[Type] extends TSchema ? Static<Events[Type]> : never
}[keyof Events]

/** The events of a topic, narrowed by `type`. */
export type EventOn<Topic extends string> = {
  [Pattern in TopicPattern]: Matches<Topic, Pattern> extends true ? EventIn<(typeof topics)[Pattern]> : never
}[TopicPattern]

const idPattern = 's_[A-Za-z0-9_-]{1,64}'
const patterns = Object.keys(topics) as TopicPattern[]
const matchers = patterns.map(pattern => ({
  pattern,
  expression: new RegExp(`^${pattern.replace('<id>', `(${idPattern})`)}$`),
}))

export const Topic = Type.String({
  pattern: `^(${patterns.map(pattern => pattern.replace('<id>', idPattern)).join('|')})$`,
  description: `topic: ${patterns.map(pattern => `\`${pattern}\``).join(', ')}`,
})

/**
 * Returns the row of a topic and the session id in its name (empty for a topic without one). Returns undefined if no
 * topic has this name.
 */
export function parseTopic(topic: string): { pattern: TopicPattern; session: string } | undefined {
  for (const { pattern, expression } of matchers) {
    const match = expression.exec(topic)
    if (match) return { pattern, session: match[1] ?? '' }
  }
  return undefined
}

/** A reader's position in a topic: the reader has consumed everything up to and including `seq` of this `epoch`. */
export const Cursor = Type.Object({ epoch: Type.String(), seq: Type.Integer({ minimum: 0 }) })
export type Cursor = Static<typeof Cursor>

/** Why a subscription could not continue at the client's cursor. */
export const RecoveryReason = Type.Enum(['epoch_changed', 'trimmed', 'ahead_of_log'])
export type RecoveryReason = Static<typeof RecoveryReason>

/**
 * The result of a subscription. The kept log runs from `first` to `head`. `recovered: false` means that events are
 * missing between the given `since` and the first delivered event, for the `reason`; delivery then starts at `first`.
 */
export const Subscribed = Type.Object({
  topic: Type.String(),
  epoch: Type.String(),
  first: Type.Integer(),
  head: Type.Integer(),
  recovered: Type.Boolean(),
  reason: Type.Optional(RecoveryReason),
})
export type Subscribed = Static<typeof Subscribed>
