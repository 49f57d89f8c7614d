import type { Subscriber, Subscribers, SubscriptionStatus } from '../../protocol/index.ts'
import type { Limits } from '../../protocol/limits.ts'

/** Returns the subscribers part of `daemon.status`: how far each client is behind, limited to those furthest behind. */
export function subscribersStatus(
  connected: readonly Omit<Subscriber, 'more'>[],
  limits: Pick<Limits, 'maxSubscribersShown' | 'maxCursorsShown'>,
): Subscribers {
  const ordered = connected
    .map(subscriber => ({ ...subscriber, subscriptions: subscriber.subscriptions.toSorted(byLag) }))
    .toSorted((one, other) => lagOf(other) - lagOf(one) || other.unsentBytes - one.unsentBytes)
  return {
    behind: ordered.reduce((sum, { subscriptions }) => sum + subscriptions.filter(({ lag }) => lag > 0).length, 0),
    furthest: ordered.slice(0, limits.maxSubscribersShown).map(({ subscriptions, ...subscriber }) => ({
      ...subscriber,
      subscriptions: subscriptions.slice(0, limits.maxCursorsShown),
      more: Math.max(0, subscriptions.length - limits.maxCursorsShown),
    })),
    more: Math.max(0, ordered.length - limits.maxSubscribersShown),
  }
}

const byLag = (one: SubscriptionStatus, other: SubscriptionStatus) => other.lag - one.lag
const lagOf = ({ subscriptions: [furthest] }: Omit<Subscriber, 'more'>) => furthest?.lag ?? -1
