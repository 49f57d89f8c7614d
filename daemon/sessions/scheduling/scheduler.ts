import type { WaitingFor } from '../../../protocol/index.ts'

/**
 * Gives slots to at most `maxRuns` active runs, in the order of the requests, and starts no process without memory for
 * it. A request that waits for memory lets requests pass that need no new process. A run lends its slot while it waits
 * for an answer, and takes it back at once: then more than `maxRuns` may be active, and no other run begins.
 */
export interface Scheduler {
  request(request: SlotRequest): RunSlot
  /** Returns a slot for a run that is active already, even above `maxRuns`. */
  take(): RunSlot
  /** Checks the waiting requests again, because a process has ended. */
  recheck(): void
  readonly active: number
}

/** The slot of a run, or its request for one. A second call of a method has no effect. */
export interface RunSlot {
  /** Gives the slot back for good, or withdraws the request. */
  leave(): void
  /** The slot is free for others until `takeBack`. */
  lend(): void
  takeBack(): void
}

export interface SlotRequest {
  /** Whether the run needs a new process now. */
  startsProcess(): boolean
  /** Called once, when the run has its slot. May be called before `request` returns. */
  granted(): void
  /** Called when the run begins to wait for something else. May be called before `request` returns. */
  waits(what: Exclude<WaitingFor, 'session'>): void
}

export interface SchedulerOptions {
  maxRuns: number
  /** Whether there is memory for one more process. Default: always. */
  hasMemory?(): boolean
  /** Called before one more process is started. */
  onStart?(): void
  /**
   * Ends something that is not needed now, because there is no memory. Returns whether anything ends. If nothing does
   * and no run is active, no memory would ever come free, so the next run starts anyway.
   */
  relieve?(): boolean
  /** How often memory is checked while a request waits for it. */
  recheckMs?: number
}

export function createScheduler(options: SchedulerOptions): Scheduler {
  const { maxRuns, hasMemory = () => true, onStart = () => {}, relieve = () => false, recheckMs = 1_000 } = options
  let waiting: { request: SlotRequest; told?: WaitingFor }[] = []
  let active = 0
  let lent = 0
  let timer: NodeJS.Timeout | undefined
  let granting = false
  let again = false

  const hasMemoryNow = () => hasMemory() || (active + lent === 0 && !relieve())

  /** Returns the first request that may begin, and reports to the requests before it what they wait for. */
  function choose() {
    let memory: boolean | undefined
    for (const each of waiting) {
      if (active >= maxRuns) {
        tell(each, 'slot')
        continue
      }
      if (!each.request.startsProcess() || (memory ??= hasMemoryNow())) return each
      tell(each, 'memory')
    }
    return undefined
  }

  function tell(each: (typeof waiting)[number], what: Exclude<WaitingFor, 'session'>) {
    if (each.told === what) return
    each.told = what
    each.request.waits(what)
  }

  function grantAll() {
    for (let next = choose(); next; next = choose()) {
      const { request } = next
      waiting = waiting.filter(each => each !== next)
      active += 1
      if (request.startsProcess()) onStart()
      request.granted()
    }
    clearTimeout(timer)
    if (!waiting.some(({ told }) => told === 'memory')) return
    if (active > 0) relieve()
    timer = setTimeout(grant, recheckMs).unref()
  }

  /** Grants slots. A callback may request another slot: that request is checked afterwards. */
  function grant() {
    again = true
    if (granting) return
    granting = true
    try {
      while (again) {
        again = false
        grantAll()
      }
    } finally {
      granting = false
    }
  }

  function slotOf(waits: () => boolean, withdraw: () => void): RunSlot {
    let state: 'held' | 'lent' | 'left' = 'held'
    const change = (next: typeof state) => {
      if (state === next || state === 'left') return
      if (next === 'left' && waits()) withdraw()
      else {
        active += Number(next === 'held') - Number(state === 'held')
        lent += Number(next === 'lent') - Number(state === 'lent')
      }
      state = next
      if (next !== 'held') grant()
    }
    return { leave: () => change('left'), lend: () => change('lent'), takeBack: () => change('held') }
  }

  return {
    get active() {
      return active
    },
    recheck: grant,
    take() {
      active += 1
      return slotOf(
        () => false,
        () => {},
      )
    },
    request(request) {
      const each = { request }
      waiting.push(each)
      const slot = slotOf(
        () => waiting.includes(each),
        () => (waiting = waiting.filter(other => other !== each)),
      )
      grant()
      return slot
    },
  }
}
