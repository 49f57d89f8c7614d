import type { Input } from '../machine/input.ts'

/** The inputs that a session has not taken yet. One thing is done at a time: inputs wait for a step, and for effects. */
export interface Inbox {
  readonly isEmpty: boolean
  readonly isBusy: boolean
  /** Takes an input behind those that wait. */
  push(input: Input): void
  /** Puts inputs in front of those that wait. They are taken with the next `run`. */
  putFirst(inputs: readonly Input[]): void
  next(): Input | undefined
  /** Drops the inputs that wait: all of them, or those of these kinds. */
  drop(kinds?: readonly Input['input'][]): void
  /** Does `work` on its own. What it leads to at once comes behind it. */
  alone(work: () => void): void
  /** Takes the inputs that wait, if they may be taken now. */
  run(): void
}

export interface InboxOptions {
  mayTake(): boolean
  /** Takes inputs by `next`. */
  take(): void
  /** Called when no input is left. */
  taken(): void
}

export function createInbox({ mayTake, take, taken }: InboxOptions): Inbox {
  let waiting: Input[] = []
  let isBusy = false

  function run() {
    if (isBusy || !mayTake()) return
    isBusy = true
    try {
      while (waiting.length > 0 && mayTake()) take()
    } finally {
      isBusy = false
    }
    taken()
  }

  return {
    get isEmpty() {
      return waiting.length === 0
    },
    get isBusy() {
      return isBusy
    },
    push(input) {
      waiting.push(input)
      run()
    },
    putFirst: inputs => void waiting.unshift(...inputs),
    next: () => waiting.shift(),
    drop(kinds) {
      waiting = kinds ? waiting.filter(({ input }) => !kinds.includes(input)) : []
    },
    alone(work) {
      const wasBusy = isBusy
      isBusy = true
      try {
        work()
      } finally {
        isBusy = wasBusy
      }
      run()
    },
    run,
  }
}
