import { Type, type Static } from 'typebox'
import { Approval } from './approval.ts'
import { SessionId } from './ids.ts'
import { Run } from './run.ts'
import { Session } from './session.ts'
import { Viewers } from './viewers.ts'

const envelope = { seq: Type.Integer({ minimum: 1 }), time: Type.Integer() }

/** The records on `sessions`. Each contains the changed object whole. */
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
  /** The viewers of a session. Sent with a short delay (`limits.viewersEveryMs`), and only if they have changed. */
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

/** The only record on `daemon`: a state and its cause. `disk_failed`: a sync failed, and the daemon ends. */
export const DaemonEvent = Type.Object({
  ...envelope,
  type: Type.Literal('daemon_status'),
  state: Type.Enum(['running', 'disk_full', 'disk_failed', 'stopping']),
  detail: Type.Optional(Type.String()),
})
export type DaemonEvent = Static<typeof DaemonEvent>

/**
 * A record on `session/<id>/frames`: one parsed line of Claude Code's output. `unparsed` describes a line that is not
 * JSON, exceeds a bound, or cannot be decoded.
 */
export const FrameEvent = Type.Object({
  ...envelope,
  type: Type.Literal('frame'),
  frame: Type.Unknown(),
  unparsed: Type.Optional(Type.Object({ reason: Type.String(), bytes: Type.Integer(), head: Type.String() })),
})
export type FrameEvent = Static<typeof FrameEvent>
