import { Type, type Static } from 'typebox'
import { Approval } from './approval.ts'
import { SessionId } from './ids.ts'
import { Run } from './run.ts'
import { Session } from './session.ts'
import { Viewers } from './viewers.ts'

/**
 * The topics: named streams of events, each with its own contiguous `seq` and its own `epoch`.
 *
 * | topic | carries |
 * | --- | --- |
 * | `session/<id>` | every event of the session |
 * | `session/<id>/frames` | the untranslated frames as Claude Code printed them |
 * | `sessions` | the records of sessions, runs and approvals as they change |
 * | `workspaces` | the layouts of pages as they are saved |
 * | `daemon` | health and shutdown notices, latest value only |
 */
export const Topic = Type.String({
  pattern: '^(sessions|workspaces|daemon|session/s_[A-Za-z0-9_-]{1,64}(/frames)?)$',
  description: 'topic: `sessions`, `workspaces`, `daemon`, `session/<id>` or `session/<id>/frames`',
})

const envelope = { seq: Type.Integer({ minimum: 1 }), time: Type.Integer() }

/** Records on `sessions`: what changed, whole. */
export const sessionsEvents = {
  session_created: Type.Object({ ...envelope, type: Type.Literal('session_created'), session: Session }),
  session_changed: Type.Object({ ...envelope, type: Type.Literal('session_changed'), session: Session }),
  session_deleted: Type.Object({ ...envelope, type: Type.Literal('session_deleted'), session: SessionId }),
  run_changed: Type.Object({ ...envelope, type: Type.Literal('run_changed'), run: Run }),
  approval_changed: Type.Object({
    ...envelope,
    type: Type.Literal('approval_changed'),
    approval: Approval,
  }),
  /** Who watches a session, all of them: told a little later, and only where it is another answer than before. */
  viewers_changed: Type.Object({
    ...envelope,
    type: Type.Literal('viewers_changed'),
    session: SessionId,
    ...Viewers.properties,
  }),
}
export type SessionsEvent = {
  [Name in keyof typeof sessionsEvents]: Static<(typeof sessionsEvents)[Name]>
}[keyof typeof sessionsEvents]

/** The one record on `daemon`: a state and what led to it. `disk_failed`: a sync was refused, the daemon ends. */
export const DaemonEvent = Type.Object({
  ...envelope,
  type: Type.Literal('daemon_status'),
  state: Type.Enum(['running', 'disk_full', 'disk_failed', 'stopping']),
  detail: Type.Optional(Type.String()),
})
export type DaemonEvent = Static<typeof DaemonEvent>

/** On `session/<id>/frames`: one line of Claude Code's output, parsed; of one that is no JSON, what can be said of it. */
export const FrameEvent = Type.Object({
  ...envelope,
  type: Type.Literal('frame'),
  frame: Type.Unknown(),
  unparsed: Type.Optional(Type.Object({ reason: Type.String(), bytes: Type.Integer(), head: Type.String() })),
})
export type FrameEvent = Static<typeof FrameEvent>

/** A reader's place in a topic: everything up to and including `seq` of that `epoch` has been consumed. */
export const Cursor = Type.Object({ epoch: Type.String(), seq: Type.Integer({ minimum: 0 }) })
export type Cursor = Static<typeof Cursor>

/** Why a subscription could not go on where the client was. */
export const RecoveryReason = Type.Enum(['epoch_changed', 'trimmed', 'ahead_of_log'])
export type RecoveryReason = Static<typeof RecoveryReason>

/**
 * Where a subscription stands: the kept log runs from `first` to `head`. `recovered: false` says that events are
 * missing between the given `since` and what follows, with the `reason`; delivery then starts at `first`.
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
