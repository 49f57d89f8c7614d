import type { SubscriptionStatus } from '../../../protocol/index.ts'
import type { Page, Subscription } from './delivery.ts'
import type { Window } from './window.ts'

/**
 * Takes the next page, moves the cursor past it and sets the state. Returns undefined if there is no page or the window
 * is full.
 */
export function takePage(subscription: Subscription, pageBytes: number): Page | undefined {
  const { channel, window } = subscription
  const page =
    window === undefined ? channel.page(subscription.after, pageBytes) : windowedPage(subscription, window, pageBytes)
  if (page !== undefined) {
    subscription.after = page.to
    subscription.state = page.to < channel.log.head() ? 'behind' : 'live'
  } else {
    // A subscription is also live below the head if everything up to the head was trimmed: the next event shows the
    // gap. Without a window, only a log that has just grown by itself (frames) has more now than a moment ago.
    const more = window === undefined ? 'behind' : 'waiting'
    subscription.state = channel.hasMore(subscription.after) ? more : 'live'
  }
  return page
}

export function subscriptionStatus({ channel, window, after, state }: Subscription): SubscriptionStatus {
  const head = channel.log.head()
  return {
    topic: channel.topic,
    seq: after,
    head,
    lag: head - after,
    state: state === 'held' || state === 'ended' ? 'behind' : state,
    ...(window && { window: { bytes: window.bytes, unackedBytes: window.unackedBytes() } }),
  }
}

function windowedPage(subscription: Subscription, window: Window, pageBytes: number): Page | undefined {
  if (!window.isOpen()) return undefined
  const whole = subscription.channel.page(subscription.after, Math.min(pageBytes, window.room()))
  const count = whole === undefined ? 0 : window.fitting(whole.sizes())
  if (whole === undefined || count === 0) return undefined
  const page = whole.part(count)
  page.sizes().forEach((bytes, index) => window.sent(page.after + 1 + index, bytes))
  return page
}
