/** The one timer for the deadlines of all sessions. Each session has one deadline on the wall clock, its next. */
export interface Ticker {
  /** Replaces the deadline of `key`; `Infinity` removes it. `due` is called once, within a second after `at`. */
  set(key: object, at: number, due: () => void): void
  remove(key: object): void
}

/** How often the wall clock is read: timers stand still while the machine sleeps. */
const lookMs = 1_000

export function createTicker(now: () => number = Date.now): Ticker {
  const deadlines = new Map<object, { at: number; due: () => void }>()
  let timer: NodeJS.Timeout | undefined
  let wakesAt = Infinity

  function wakeAt(at: number) {
    const wake = Math.min(Math.max(at, now() + 1), now() + lookMs)
    if (timer && wakesAt <= wake) return
    clearTimeout(timer)
    wakesAt = wake
    timer = setTimeout(look, wake - now()).unref()
  }

  function look() {
    timer = undefined
    wakesAt = Infinity
    const time = now()
    const late = [...deadlines].filter(([, { at }]) => at <= time)
    for (const [key, { due }] of late.toSorted(([, one], [, other]) => one.at - other.at)) {
      // An earlier call may have replaced or removed it.
      if (deadlines.get(key)?.due !== due) continue
      deadlines.delete(key)
      due()
    }
    let next = Infinity
    for (const { at } of deadlines.values()) next = Math.min(next, at)
    if (next < Infinity) wakeAt(next)
  }

  return {
    set(key, at, due) {
      if (at === Infinity) return void deadlines.delete(key)
      deadlines.set(key, { at, due })
      wakeAt(at)
    },
    remove: key => void deadlines.delete(key),
  }
}
