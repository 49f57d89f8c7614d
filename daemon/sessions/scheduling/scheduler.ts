import type { WaitingFor } from '../../../protocol/index.ts'

/**
 * Lets at most `maxRuns` runs be active at once, and starts no process for which there is no memory; the others wait in
 * the order in which they came. One that waits for memory lets those pass that need no process started. A run that waits
 * for an answer lends its place, and takes it back at once: then more than `maxRuns` may be active, and no other begins.
 */
export interface Admission {
  request(request: AdmissionRequest): Place
  /** A place for a run that is active already, whether there is room for it or not. */
  take(): Place
  /** Looks again: a process has ended. */
  recheck(): void
  readonly active: number
}

/** Of a run among the active ones, or among those that wait. Each member may be called again without effect. */
export interface Place {
  /** Gives it back for good, or withdraws the request while it still waits. */
  leave(): void
  /** It does not count for now. */
  lend(): void
  takeBack(): void
}

export interface AdmissionRequest {
  /** Whether a process has to be started for it, as things are now. */
  startsProcess(): boolean
  /** Called at once or later, when the place is there. */
  admitted(): void
  /** What it waits for: called at once or later, whenever that is another. */
  waits(what: Exclude<WaitingFor, 'session'>): void
}

export interface AdmissionOptions {
  maxRuns: number
  /** Whether there is memory for one more process. Default: always. */
  hasMemory?(): boolean
  /** One more process is about to be started. */
  onStart?(): void
  /**
   * There is no memory: something that nobody needs now is to be ended. Answers whether anything ends; where nothing
   * does and no run is active either, nothing would ever come free, and the next run is started all the same.
   */
  relieve?(): boolean
  /** So often memory is looked at while something waits for it. */
  recheckMs?: number
}

export function createAdmission(options: AdmissionOptions): Admission {
  const { maxRuns, hasMemory = () => true, onStart = () => {}, relieve = () => false, recheckMs = 1_000 } = options
  let waiting: { request: AdmissionRequest; told?: WaitingFor }[] = []
  let active = 0
  let lent = 0
  let timer: NodeJS.Timeout | undefined
  let admitting = false
  let again = false

  const hasMemoryNow = () => hasMemory() || (active + lent === 0 && !relieve())

  /** The first that may begin, and what the others wait for. */
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

  function admitAll() {
    for (let next = choose(); next; next = choose()) {
      const { request } = next
      waiting = waiting.filter(each => each !== next)
      active += 1
      if (request.startsProcess()) onStart()
      request.admitted()
    }
    clearTimeout(timer)
    if (!waiting.some(({ told }) => told === 'memory')) return
    if (active > 0) relieve()
    timer = setTimeout(admit, recheckMs).unref()
  }

  /** What is called from here may ask again: that is looked at afterwards. */
  function admit() {
    again = true
    if (admitting) return
    admitting = true
    try {
      while (again) {
        again = false
        admitAll()
      }
    } finally {
      admitting = false
    }
  }

  function placeOf(waits: () => boolean, withdraw: () => void): Place {
    let state: 'held' | 'lent' | 'left' = 'held'
    const change = (next: typeof state) => {
      if (state === next || state === 'left') return
      if (next === 'left' && waits()) withdraw()
      else {
        active += Number(next === 'held') - Number(state === 'held')
        lent += Number(next === 'lent') - Number(state === 'lent')
      }
      state = next
      if (next !== 'held') admit()
    }
    return { leave: () => change('left'), lend: () => change('lent'), takeBack: () => change('held') }
  }

  return {
    get active() {
      return active
    },
    recheck: admit,
    take() {
      active += 1
      return placeOf(
        () => false,
        () => {},
      )
    },
    request(request) {
      const each = { request }
      waiting.push(each)
      const place = placeOf(
        () => waiting.includes(each),
        () => (waiting = waiting.filter(other => other !== each)),
      )
      admit()
      return place
    },
  }
}
