import { randomUUID } from 'node:crypto'
import { nanoid } from 'nanoid'
import type { EventBody, Session } from '../../protocol/index.ts'
import { sleepWatch } from '../os/sleep.ts'
import { type StoredProcess, SyncFailed } from '../store/store.ts'
import { resolutionOf } from './approval-answer.ts'
import { callError, createCalls, dueAnswers } from './calls.ts'
import { createEffects } from './effects/effects.ts'
import { createProcessEffects } from './effects/process-effects.ts'
import { createSlot } from './effects/slot.ts'
import { createStorageRetry } from './effects/storage-retry.ts'
import { createEntries } from './entries.ts'
import { faultOf, isProgramError, passThrowPoints } from './faults.ts'
import { canJoin, gather, type Gathering, join, rowAfter } from './gathering.ts'
import { lastPrintedAt } from './history.ts'
import type { LiveSession } from './live-session.ts'
import { nextDeadline } from './machine/deadlines.ts'
import { stopping } from './machine/call-errors.ts'
import { startsProcess } from './machine/deliver.ts'
import type { Effect } from './machine/effect.ts'
import type { AdoptedProcess, Input } from './machine/input.ts'
import { createMachine, isIdle, type Machine } from './machine/machine.ts'
import { activityOf, project, queuedBytes, type Records } from './machine/project.ts'
import { isWorking, type ProcessState, restState, type SessionState } from './machine/state.ts'
import { step } from './machine/step.ts'
import { createOwnership } from './ownership.ts'
import { isDiskFull } from './own-failures.ts'
import { type Restored, restore } from './recovery/restore.ts'
import { createSnapshots, type Reread } from './recovery/snapshots.ts'
import { factsOf, readFacts, recordsOf, stateOfFacts, type StoredFacts } from './recovery/stored-facts.ts'
import type { SessionContext } from './session-context.ts'

type Untimed = Input extends infer Each ? (Each extends Input ? Omit<Each, 'time'> : never) : never

/**
 * Interprets the machine of a session: takes inputs one at a time, stores what their steps give as one journal entry, and
 * carries out the effects once the entry is committed. `made`: the session is not stored yet, and is with its first
 * entry; its log begins with `opening`.
 */
export function createSession(
  context: SessionContext,
  stored: Session,
  made?: { opening: EventBody | undefined },
): LiveSession {
  const { agent, build, config, journal, log, operatorPresence, store, ticker } = context
  const id = stored.session
  const key = {}
  const inbox: Input[] = []
  const calls = createCalls()
  const snapshots = createSnapshots(agent)
  let m = machineOf(made ? restState(stored) : stateOfFacts(agent, factsOf(store, stored, [], undefined)))
  // The records as they are stored, or are about to be.
  let records: Records | undefined = made ? undefined : { session: stored, runs: new Map(), approvals: [] }
  let row: StoredProcess | undefined
  // The record of the process has changed without a step.
  let owesRow = false
  let lastReread: Reread | undefined
  // Inputs wait in the inbox while a step is taken or effects are carried out.
  let isBusy = false
  // Raised each time the session is restored from what is stored.
  let life = 0
  let mode: 'open' | 'leaving' | 'over' = 'open'
  let stopReason: string | undefined
  // With these a session begins that was restored because something could not be stored, and that waits to try again.
  // Until then nothing else is taken: the machine would take its process for gone.
  let unadopted: Input[] = []
  let stopped = () => {}

  const entries = createEntries({
    context,
    session: id,
    isNew: made !== undefined,
    committed: forgetIfOver,
  })
  const process = createProcessEffects({
    context,
    session: id,
    ownership: createOwnership(context, id),
    record: shown,
    process: () => m.s.process,
    post,
    failed: broken,
  })
  const slot = createSlot(context.admission, {
    startsProcess: () => startsProcess(m),
    granted: () => post({ input: 'slot_granted' }),
    waits: what => post({ input: 'slot_waits', what }),
  })
  const effects = createEffects({ context, slot, process, stopped: () => stopped() })
  const storage = createStorageRetry({
    giveUp(failure) {
      if (mode !== 'open') return
      // Its process may have started or ended since.
      if (unadopted.length > 0) skipOutput()
      const begun = unadopted.map(each => (each.input === 'adopted' ? { ...each, process: adoptedProcess() } : each))
      unadopted = []
      inbox.unshift(...begun, { input: 'storage_failed', failure, time: Date.now() })
      takeInputs()
    },
    works() {
      if (!store.ballast.restore()) return false
      post({ input: 'storage_works' })
      return m.v.process?.phase !== 'behind'
    },
    over: forgetIfOver,
  })
  const unsubscribe = [
    operatorPresence.onChange(() => post({ input: 'presence', emptySince: operatorPresence.emptySince })),
    sleepWatch.onSleep(sleep => post({ input: 'slept', ...sleep })),
  ]
  if (made?.opening) inbox.push({ input: 'opened', event: made.opening, time: Date.now() })

  return {
    get record() {
      return shown()
    },
    get busy() {
      return isWorking(m.s) || m.s.queue.length > 0
    },
    get queuedRuns() {
      return m.s.queue.length
    },
    get queuedBytes() {
      return queuedBytes(m)
    },
    activityOf: run => activityOf(m, run, Date.now()),
    get hasIdleProcess() {
      return isIdle(m) && m.v.process?.closing === false
    },
    endIdleProcess() {
      if (!isIdle(m)) return false
      void calls.open(call => post({ input: 'end_idle', call })).catch(() => {})
      return true
    },

    enqueue: (prompt, by, keep, limits) =>
      calls.open(call => {
        const ids = { run: `r_${nanoid()}`, promptUuid: randomUUID() }
        post({ input: 'enqueue', call, ...ids, prompt, by, ...(limits && { limits }) })
      }, keep),
    move: (run, to, by) => calls.open(call => post({ input: 'move', call, run, to, by })),
    cancel: (run, by, cancelMode, reason) =>
      calls.open(call =>
        post({ input: 'cancel', call, run, mode: cancelMode, by, ...(reason !== undefined && { reason }) }),
      ),
    async answer(answer, by, keep) {
      const question = m.s.open.find(({ approval }) => approval.approval === answer.approval)
      if (!question) return null
      const resolution = resolutionOf(question.approval, answer, by)
      const { approval } = question.approval
      return calls.open(call => post({ input: 'answer', call, approval, resolution, by }), keep)
    },
    update: (changes, by) => calls.open(call => post({ input: 'update', call, changes, by })),
    used: () => calls.open(call => post({ input: 'use', call })),
    close: ({ sweep } = { sweep: false }) => calls.open(call => post({ input: 'close', call, sweep })),

    takeOver(facts) {
      inbox.unshift(...begin(facts, process.adopt))
      takeInputs()
    },
    readOn() {
      const { process: current } = m.s
      if (!current || m.v.process?.phase !== 'catching_up') return
      const { pid } = m.v.process
      if (pid !== null)
        log.info('a process was taken over', { session: id, process: current.id, pid, reread: lastReread })
      process.read(current)
    },

    async shutdown(reason) {
      stopReason = reason
      const over = new Promise<void>(resolve => void (stopped = resolve))
      post({ input: 'shutdown', reason })
      if (mode === 'open') await over
      await process.settled()
      end()
    },
    async leave() {
      mode = 'leaving'
      // The effects of what is gathered may start a process.
      journal.flush()
      await process.settled()
      journal.flush()
      await process.leave()
      end()
    },
  }

  // -- inputs --------------------------------------------------------------------------------------------------------

  function post(input: Untimed) {
    // What a start under way leads to is still stored, so that the next daemon finds the process.
    if (mode === 'over' || (mode === 'leaving' && !finishing.has(input.input))) {
      if ('call' in input) calls.close(input.call)?.reject(callError(stopping))
      return
    }
    inbox.push({ ...input, time: Date.now() })
    takeInputs()
  }

  function takeInputs() {
    if (isBusy || unadopted.length > 0) return
    isBusy = true
    try {
      while (inbox.length > 0 && mode !== 'over') drain()
    } finally {
      isBusy = false
    }
    ticker.set(key, mode === 'open' ? nextDeadline(m) : Infinity, tick)
    forgetIfOver()
  }

  /** Takes the inputs that wait, and stores what they give as one entry. */
  function drain() {
    let g: Gathering | undefined
    for (let input = inbox.shift(); input; input = inbox.shift()) {
      try {
        const before = { process: m.s.process, row: g ? rowAfter(g, row) : row, records: g?.records ?? records }
        if ('call' in input) calls.taken(input.call)
        passThrowPoints(input)
        const next = gather(m, before, input, step(m, input), build)
        if (!g || canJoin(g, next)) g = g ? join(g, next) : next
        else {
          storeEntry(g, true)
          g = next
        }
      } catch (error) {
        // What was complete before is kept.
        if (g) storeEntry(g, true)
        return contain(error, input)
      }
    }
    try {
      if (g) storeEntry(g, false)
    } catch (error) {
      contain(error, undefined)
    }
  }

  function tick() {
    // A sleep is told first.
    sleepWatch.sleptSince(Date.now())
    try {
      const printedAt = watchesOutput() ? lastPrintedAt(context.processesDir, m.s.process!) : undefined
      post({ input: 'tick', ...(printedAt !== undefined && { printedAt }) })
    } catch (error) {
      broken(error)
    }
  }

  /** Whether the active run may be silent only for a time. */
  function watchesOutput(): boolean {
    const { active, process: current } = m.s
    return active?.stored.run.limits?.inactivityMs !== undefined && current !== null && m.v.process?.phase === 'live'
  }

  // -- entries and effects -------------------------------------------------------------------------------------------

  /** `isCut`: the state is ahead of what is stored. */
  function storeEntry(g: Gathering, isCut: boolean) {
    const before = records
    records = g.records
    row = rowAfter(g, row)
    const applied = { lines: g.lines, acts: g.acts.length, begun: g.begun }
    const snapshot = isCut ? undefined : snapshots.take(m.s, applied)
    const ofLife = life
    entries.store({
      gathering: g,
      records: before,
      answers: dueAnswers(calls, g.effects, shown),
      ...(owesRow && row && { row }),
      snapshot,
      onCommitted() {
        // A slot that was asked for before the session was restored is not wanted any more.
        const due = ofLife === life ? g.effects : g.effects.filter(isNoSlotEffect)
        duringEffects(() => carryOut(due))
      },
      onFailed(error) {
        if (ofLife === life) failed(error)
      },
    })
    owesRow = false
  }

  /** What an effect posts at once comes after the effects. */
  function duringEffects(work: () => void) {
    const wasBusy = isBusy
    isBusy = true
    try {
      work()
    } finally {
      isBusy = wasBusy
    }
    takeInputs()
  }

  function carryOut(due: readonly Effect[]) {
    for (const effect of due) {
      try {
        effects.carryOut(effect)
      } catch (error) {
        contain(error, undefined)
      }
    }
  }

  function forgetIfOver() {
    if (!m.v.forgotten || mode !== 'open' || isBusy || storage.isFailing) return
    if (inbox.length > 0 || entries.uncommitted > 0 || !calls.isEmpty) return
    end()
    context.onIdle(id)
  }

  function end() {
    mode = 'over'
    calls.rejectAll(callError(stopping))
    for (const each of unsubscribe) each()
    storage.stop()
    ticker.remove(key)
  }

  // -- failures and recovery -----------------------------------------------------------------------------------------

  /**
   * Keeps an exception in muxd's own code inside the session: forgets the memory, restores what is stored, applies the
   * lines in front of the faulty one again, and lets the machine end the runs and the process.
   */
  function contain(error: unknown, input: Input | undefined) {
    unadopted = []
    log.error('a session failed', { session: id, where: input?.input ?? 'effect', error })
    const lifeBefore = life
    journal.flush()
    // An entry that could not be stored: the lines are read again later.
    if (mode === 'over' || life !== lifeBefore) return
    if (input?.input === 'fault' || input?.input === 'adopted') return giveUp()
    const { before, ...fault } = faultOf(error, input, row?.offset ?? 0)
    const inputs = reload(error)
    if (!inputs) return
    const time = Date.now()
    const isFaulty = inputs.some(each => each.input === 'fault')
    if (!isFaulty) inputs.push(...before, { input: 'fault', ...fault, whileRestoring: false, time })
    inbox.unshift(...inputs)
  }

  /** An exception outside of a step. */
  function broken(error: unknown) {
    duringEffects(() => contain(error, undefined))
  }

  /** The handling of a fault has failed itself: the session stays as it is stored until it is loaded again. */
  function giveUp() {
    log.error('the fault of a session could not be handled', { session: id })
    inbox.length = 0
    end()
    context.onIdle(id)
  }

  /** An entry was not stored. */
  function failed(error: unknown) {
    if (mode === 'over') return
    if (error instanceof SyncFailed) {
      // The daemon ends, and its processes go on without it.
      calls.rejectAll(error)
      stopped()
      return end()
    }
    if (isProgramError(error)) return broken(error)
    log.error('events could not be stored', { session: id, error })
    if (isDiskFull(error)) context.onDiskFull((error as Error).message)
    duringEffects(() => {
      const inputs = reload(error)
      if (!inputs) return
      skipOutput()
      const failure = storage.failed(error)
      // In one entry with the ends of the runs: a full disk has room for no other.
      if (failure) inbox.unshift(...inputs, { input: 'storage_failed', failure, time: Date.now() })
      else unadopted = inputs
    })
    if (stopReason !== undefined) stopped()
  }

  /** What the process prints from here on is behind a gap: it is read again later. */
  function skipOutput() {
    if (m.s.process && process.find(m.s.process) !== 'starting') process.fallBehind(m.s.process.id)
  }

  /** Forgets the memory. Returns the inputs with which the restored session begins; undefined if it is not stored. */
  function reload(error: unknown): Input[] | undefined {
    life += 1
    slot.carryOut('give_slot')
    calls.rejectTaken(error)
    // Those of an earlier restoration, which has failed too.
    inbox.splice(0, Infinity, ...inbox.filter(({ input }) => input !== 'adopted' && input !== 'fault'))
    const facts = readFacts(store, id)
    if (facts) return begin(facts, () => {})
    // It was to be created by the entry that failed.
    calls.rejectAll(error)
    end()
    context.onUnmade(id)
    return undefined
  }

  /** Restores the session from what is stored. Returns the inputs with which it begins. */
  function begin(facts: StoredFacts, adopt: (process: ProcessState) => void): Input[] {
    const time = Date.now()
    records = recordsOf(facts)
    row = facts.row
    const stop: Input[] = stopReason === undefined ? [] : [{ input: 'shutdown', reason: stopReason, time }]
    let restored: Restored
    try {
      restored = restore(context, facts)
    } catch (error) {
      log.error('a session failed while it was restored', { session: id, error })
      m = machineOf(stateOfFacts(agent, facts))
      const { before: _, ...fault } = faultOf(error, undefined, 0)
      return [{ input: 'fault', ...fault, whileRestoring: true, time }, ...stop]
    }
    const { state, damage, reread, needsSnapshot } = restored
    m = machineOf(state)
    snapshots.resume(state, reread, needsSnapshot)
    lastReread = reread
    // What follows is derived by this program, what came before by another: they are not compared again.
    owesRow = row !== undefined && row.translator !== null && row.translator !== build
    if (row && owesRow) row = { ...row, translator: null }
    if (state.process) adopt(state.process)
    return [{ input: 'adopted', process: adoptedProcess(), ...(damage && { damage }), time }, ...stop]
  }

  function adoptedProcess(): AdoptedProcess | null {
    const current = m.s.process
    const found = current && process.find(current)
    if (!current || !found) return null
    if (typeof found === 'string') return { id: current.id, state: found }
    const { pid, startedAt, inputEnded } = found
    return { id: current.id, state: 'held', pid, startedAt, inputEnded }
  }

  function machineOf(state: SessionState): Machine {
    const machine = createMachine(agent, state, config, nanoid(8))
    machine.v.emptySince = operatorPresence.emptySince
    machine.v.sleeps = [...sleepWatch.sleeps]
    return machine
  }

  /** The record as it is now, stored or not. */
  function shown(): Session {
    const { session } = records ?? project(m, undefined, Date.now())
    return { ...session, head: m.s.head }
  }
}

const isNoSlotEffect = ({ effect }: Effect) => !effect.endsWith('_slot')

/** These are still taken when the daemon leaves. */
const finishing = new Set<string>(['started', 'start_failed', 'cleared'] satisfies Input['input'][])
