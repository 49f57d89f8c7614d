import { Type, type Static } from 'typebox'
import { ClientId } from './ids.ts'
import { Role } from './token.ts'

/** A client that watches a session. A client with several connections is listed once, with its first connection. */
export const Viewer = Type.Object({
  client: ClientId,
  name: Type.String(),
  role: Role,
  since: Type.Integer({ description: 'when it subscribed; to move its cursor changes nothing' }),
})
export type Viewer = Static<typeof Viewer>

/** The clients that watch a session, the longest first, up to `limits.maxViewersShown`. */
export const Viewers = Type.Object({
  viewers: Type.Array(Viewer),
  more: Type.Integer({ description: 'clients that are not listed' }),
})
export type Viewers = Static<typeof Viewers>
