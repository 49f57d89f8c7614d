import type { Input } from '../machine/input.ts'

/** The inputs that a session has not taken yet. They wait while a step is running and while effects are carried out. */
export interface Inbox {
  readonly isEmpty: boolean
  readonly isBusy: boolean
  /** Adds an input behind the waiting ones. */
  push(input: Input): void
  /** Puts inputs in front of the waiting ones. The next `run` takes them. */
  putFirst(inputs: readonly Input[]): void
  next(): Input | undefined
  /** Drops all waiting inputs, or only the given kinds. */
  drop(kinds?: readonly Input['input'][]): void
  /** Runs `work` while no input is taken. Inputs that it pushes are taken after it. */
  alone(work: () => void): void
  /** Takes the waiting inputs, if they may be taken now. */
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
