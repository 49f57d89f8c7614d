import { setTimeout as delay } from 'node:timers/promises'
import { type Event, type Mux, RpcError } from '../../client/sdk/index.ts'
import { expectWholeLog } from '../support/whole-log.ts'
import { connectTo, count, type Follower, isExpected, type World } from './world.ts'

export function startFollower(world: World, session: string, after: number): Follower {
  const random = world.random.fork()
  const leaving = new AbortController()
  const events: Event[] = []
  let isGone = false
  const place = () => after + events.length

  /** Runs one subscription until it leaves at random, or the follower ends. */
  const subscribed = async (mux: Mux) => {
    const whim = random.whole(20, 500)
    const window = random.chance(0.5) ? random.whole(1_024, 100_000) : undefined
    const { signal } = leaving
    for await (const event of mux.subscribe(`session/${session}`, { since: { seq: place() }, window, signal })) {
      if (event.type === 'gap') throw new Error(`a gap from ${event.from} to ${event.to} (${event.reason})`)
      events.push(event)
      if (!world.isEnding && random.chance(0.002)) {
        count(world, 'stalls')
        await delay(random.whole(50, 1_500))
      }
      if (!world.isEnding && events.length % whim === 0) return
    }
  }

  const connected = async () => {
    const mux = await connectTo(world.home, 'follower')
    count(world, 'connections')
    try {
      do {
        await subscribed(mux)
        count(world, 'subscriptions')
      } while (random.chance(0.6))
    } finally {
      mux.close()
    }
  }

  const following = (async () => {
    while (!leaving.signal.aborted && !isGone) {
      try {
        await connected()
      } catch (error) {
        if (leaving.signal.aborted) return
        isGone = error instanceof RpcError && error.kind === 'not_found'
        if (isGone) return
        if (!isExpected(error)) world.faults.push(`a follower of ${session}: ${String(error)}`)
        await delay(50)
      }
    }
  })()

  return {
    get place() {
      return isGone ? undefined : place()
    },
    check: log => expectWholeLog(events, { log, after }),
    async leave() {
      leaving.abort()
      await following
    },
  }
}
