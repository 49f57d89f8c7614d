import { Type, type Static } from 'typebox'
import { ClientId } from './ids.ts'
import { Role } from './token.ts'

/** The state of a subscription as the daemon sees it. */
export const SubscriptionStatus = Type.Object({
  topic: Type.String(),
  seq: Type.Integer({ description: 'everything up to here was handed to its socket' }),
  head: Type.Integer(),
  lag: Type.Integer({ description: '`head - seq`' }),
  state: Type.Enum(['live', 'behind', 'waiting'], { description: '`waiting`: for acks, its window being full' }),
  window: Type.Optional(Type.Object({ bytes: Type.Integer(), unackedBytes: Type.Integer() })),
})
export type SubscriptionStatus = Static<typeof SubscriptionStatus>

/** A connection and its subscriptions, those furthest behind first. */
const Subscriber = Type.Object({
  client: ClientId,
  name: Type.String(),
  role: Role,
  connectedAt: Type.Integer(),
  unsentBytes: Type.Integer({ description: 'waits in the daemon for it to read' }),
  subscriptions: Type.Array(SubscriptionStatus),
  more: Type.Integer({ description: 'subscriptions that are not listed' }),
})
export type Subscriber = Static<typeof Subscriber>

/** All connections, those furthest behind first. */
export const Subscribers = Type.Object({
  behind: Type.Integer({ description: 'subscriptions that have not been sent all there is' }),
  furthest: Type.Array(Subscriber),
  more: Type.Integer({ description: 'connections that are not listed' }),
})
export type Subscribers = Static<typeof Subscribers>
