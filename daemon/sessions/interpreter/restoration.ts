import { nanoid } from 'nanoid'
import { sleepWatch } from '../../os/sleep.ts'
import { SyncFailed } from '../../store/store.ts'
import type { Calls } from './calls.ts'
import type { ProcessEffects } from '../effects/process-effects.ts'
import type { Slot } from '../effects/slot.ts'
import { createStorageRetry } from '../effects/storage-retry.ts'
import { faultOf, isProgramError } from './faults.ts'
import type { Inbox } from './inbox.ts'
import type { AdoptedProcess, Input } from '../machine/input.ts'
import { createMachine, type Machine } from '../machine/machine.ts'
import type { ProcessState, SessionState } from '../machine/fold/state.ts'
import type { Memory } from './memory.ts'
import { isDiskFull } from '../effects/own-failures.ts'
import { type Restored, restore } from '../recovery/restore.ts'
import type { Snapshots } from '../recovery/snapshots.ts'
import { readFacts, recordsOf, stateOfFacts, type StoredFacts } from '../recovery/stored-facts.ts'
import type { SessionContext } from '../session-context.ts'

/**
 * Restores a session from the store: after a restart of the daemon, after an entry that was not stored, and after an
 * exception in muxd's own code. All three take the same path.
 */
export interface Restoration {
  /** Restores the session for the first time. Returns its first inputs. */
  begin(facts: StoredFacts, adopt: (process: ProcessState) => void): Input[]
  /**
   * Keeps an exception in muxd's own code inside the session: forgets the memory, restores what is stored, applies the
   * lines in front of the faulty one again, and lets the machine end the runs and the process.
   */
  contain(error: unknown, input: Input | undefined): void
  /** Handles an exception outside of a step. */
  broken(error: unknown): void
  /** Handles an entry that was not stored. */
  notStored(error: unknown): void
  /**
   * Whether the input `adopted` still waits for the next attempt to store. No other input is taken until then, because
   * the machine would consider the process gone.
   */
  readonly isUnadopted: boolean
  /** Whether storing has failed and is being retried. */
  readonly isFailing: boolean
  /** Ends the retries. */
  stop(): void
}

export interface RestorationOptions {
  context: SessionContext
  session: string
  memory: Memory
  inbox: Inbox
  calls: Calls
  snapshots: Snapshots
  slot: Slot
  process: ProcessEffects
  /** Ends the session in memory. */
  end(): void
  /** Called when everything could be stored again. */
  recovered(): void
  /** Called when the session has ended everything that it can end, because the daemon stops. */
  stopped(): void
}

export function createRestoration(options: RestorationOptions): Restoration {
  const { context, session, memory, inbox, calls, snapshots, slot, process, end } = options
  const { agent, build, journal, log, store } = context
  // The first inputs of a restored session, while they wait for the next attempt to store.
  let unadopted: Input[] = []

  const storage = createStorageRetry({
    agent,
    giveUp(failure) {
      if (memory.mode !== 'open') return
      // Its process may have started or ended since.
      if (unadopted.length > 0) skipOutput()
      const begun = unadopted.map(each => (each.input === 'adopted' ? { ...each, process: adoptedProcess() } : each))
      unadopted = []
      inbox.putFirst([...begun, { input: 'storage_failed', failure, time: Date.now() }])
      inbox.run()
    },
    works() {
      if (!store.ballast.restore()) return false
      if (memory.mode === 'open') inbox.push({ input: 'storage_works', time: Date.now() })
      return memory.m.v.process?.phase !== 'behind'
    },
    over: options.recovered,
  })

  function contain(error: unknown, input: Input | undefined) {
    unadopted = []
    log.error('a session failed', { session, where: input?.input ?? 'effect', error })
    const { life } = memory
    journal.flush()
    // The flush has failed and restored the session already. The lines are read again later.
    if (memory.mode === 'over' || memory.life !== life) return
    if (input?.input === 'fault' || input?.input === 'adopted') return giveUp()
    const { before, ...fault } = faultOf(error, input, memory.row?.offset ?? 0)
    const inputs = reload(error)
    if (!inputs) return
    const isFaulty = inputs.some(each => each.input === 'fault')
    if (!isFaulty) inputs.push(...before, { input: 'fault', ...fault, whileRestoring: false, time: Date.now() })
    inbox.putFirst(inputs)
  }

  function broken(error: unknown) {
    inbox.alone(() => contain(error, undefined))
  }

  /**
   * Ends the session in memory, because handling a fault has failed too. It stays as it is stored until it is loaded
   * again.
   */
  function giveUp() {
    log.error('the fault of a session could not be handled', { session })
    inbox.drop()
    end()
    context.onIdle(session)
  }

  function notStored(error: unknown) {
    if (memory.mode === 'over') return
    if (error instanceof SyncFailed) {
      // The daemon ends, and its processes continue without it.
      calls.rejectAll(error)
      options.stopped()
      return end()
    }
    if (isProgramError(error)) return broken(error)
    log.error('events could not be stored', { session, error })
    if (isDiskFull(error)) context.onDiskFull((error as Error).message)
    inbox.alone(() => {
      const inputs = reload(error)
      if (!inputs) return
      skipOutput()
      const failure = storage.failed(error)
      // One entry with the ends of the runs: on a full disk, only an entry with a terminal event is stored.
      if (failure) inbox.putFirst([...inputs, { input: 'storage_failed', failure, time: Date.now() }])
      else unadopted = inputs
    })
    if (memory.stopReason !== undefined) options.stopped()
  }

  /**
   * Kills the process and ignores its further output, which would come behind a gap. The output is read again later. A
   * process that is being started is left alone.
   */
  function skipOutput() {
    const current = memory.m.s.process
    if (current && process.find(current) !== 'starting') process.fallBehind(current.id)
  }

  /** Replaces the memory with what is stored. Returns the first inputs; undefined if the session is not stored. */
  function reload(error: unknown): Input[] | undefined {
    memory.life += 1
    slot.carryOut('give_slot')
    calls.rejectTaken(error)
    // Inputs of an earlier restoration, which has failed too.
    inbox.drop(['adopted', 'fault'])
    const facts = readFacts(store, session)
    if (facts) return begin(facts, () => {})
    // The failed entry was to create the session.
    calls.rejectAll(error)
    end()
    context.onUnmade(session)
    return undefined
  }

  function begin(facts: StoredFacts, adopt: (process: ProcessState) => void): Input[] {
    const time = Date.now()
    memory.records = recordsOf(facts)
    memory.row = facts.row
    const { stopReason } = memory
    const stop: Input[] = stopReason === undefined ? [] : [{ input: 'shutdown', reason: stopReason, time }]
    let restored: Restored
    try {
      restored = restore(context, facts)
    } catch (error) {
      log.error('a session failed while it was restored', { session, error })
      memory.m = newMachine(context, stateOfFacts(agent, facts))
      const { before: _, ...fault } = faultOf(error, undefined, 0)
      return [{ input: 'fault', ...fault, whileRestoring: true, time }, ...stop]
    }
    const { state, damage, reread, needsSnapshot } = restored
    memory.m = newMachine(context, state)
    snapshots.resume(state, reread, needsSnapshot)
    memory.reread = reread
    if (facts.row && facts.row.translator !== null && facts.row.translator !== build) {
      // Another program derived the earlier events of this process. A later restoration cannot compare them with what
      // this program derives.
      memory.row = { ...facts.row, translator: null }
      memory.owesRow = true
    } else memory.owesRow = false
    if (state.process) adopt(state.process)
    const adopted: Input = { input: 'adopted', process: adoptedProcess(), ...(damage && { damage }), time }
    return [adopted, ...stop]
  }

  function adoptedProcess(): AdoptedProcess | null {
    const current = memory.m.s.process
    const found = current && process.find(current)
    if (!current || !found) return null
    if (typeof found === 'string') return { id: current.id, state: found }
    const { pid, startedAt, inputEnded } = found
    return { id: current.id, state: 'held', pid, startedAt, inputEnded }
  }

  return {
    begin,
    contain,
    broken,
    notStored,
    get isUnadopted() {
      return unadopted.length > 0
    },
    get isFailing() {
      return storage.isFailing
    },
    stop: storage.stop,
  }
}

export function newMachine(context: SessionContext, state: SessionState): Machine {
  const { agent, config, operatorPresence } = context
  const machine = createMachine(agent, state, config, nanoid(8))
  machine.v.emptySince = operatorPresence.emptySince
  machine.v.sleeps = [...sleepWatch.sleeps]
  return machine
}
