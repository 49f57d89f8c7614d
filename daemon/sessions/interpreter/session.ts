import { randomUUID } from 'node:crypto'
import { nanoid } from 'nanoid'
import type { EventBody, Session } from '../../../protocol/index.ts'
import { sleepWatch } from '../../os/sleep.ts'
import { resolutionOf } from './approval-answer.ts'
import { callError, createCalls } from './calls.ts'
import { createEffects } from '../effects/effects.ts'
import { createProcessEffects } from '../effects/process-effects.ts'
import { createSlot } from '../effects/slot.ts'
import { createEntries } from './entries.ts'
import { lastPrintedAt } from '../recovery/history.ts'
import { createInbox } from './inbox.ts'
import { createInterpreter } from './interpreter.ts'
import type { LiveSession } from './live-session.ts'
import { nextDeadline } from '../machine/decide/deadlines.ts'
import { stopping } from '../machine/decide/call-errors.ts'
import { startsProcess } from '../machine/decide/deliver.ts'
import type { Input } from '../machine/input.ts'
import { isIdle } from '../machine/machine.ts'
import { activityOf, project, queuedBytes } from '../machine/project.ts'
import { isWorking, restState } from '../machine/fold/state.ts'
import type { Memory } from './memory.ts'
import { createSessionLock } from '../conversation-lock/session-lock.ts'
import { createSnapshots } from '../recovery/snapshots.ts'
import { factsOf, stateOfFacts } from '../recovery/stored-facts.ts'
import { createRestoration, newMachine } from './restoration.ts'
import type { SessionContext } from '../session-context.ts'

type Untimed = Input extends infer Each ? (Each extends Input ? Omit<Each, 'time'> : never) : never

/**
 * Creates a session in memory, which turns calls and facts into inputs of its machine. `interpreter.ts` takes the
 * inputs, and `restoration.ts` restores the session from the store. `made`: the session is not stored yet. Its first
 * entry stores it, and `opening` is the first event of its log.
 */
export function createSession(
  context: SessionContext,
  stored: Session,
  made?: { opening: EventBody | undefined },
): LiveSession {
  const { agent, build, journal, log, operatorPresence, store, ticker } = context
  const id = stored.session
  const key = {}
  const memory: Memory = {
    m: newMachine(context, made ? restState(stored) : stateOfFacts(agent, factsOf(store, stored, [], undefined))),
    records: made ? undefined : { session: stored, runs: new Map(), approvals: [] },
    row: undefined,
    owesRow: false,
    life: 0,
    reread: undefined,
    mode: 'open',
    stopReason: undefined,
  }
  let stopped = () => {}

  const calls = createCalls()
  const snapshots = createSnapshots(agent)
  const inbox = createInbox({
    mayTake: () => memory.mode !== 'over' && !restoration.isUnadopted,
    take: () => takeInputs(),
    taken() {
      ticker.set(key, memory.mode === 'open' ? nextDeadline(memory.m) : Infinity, tick)
      forgetIfOver()
    },
  })
  const entries = createEntries({ context, session: id, isNew: made !== undefined, committed: forgetIfOver })
  const process = createProcessEffects({
    context,
    session: id,
    lock: createSessionLock(context, id),
    record,
    process: () => memory.m.s.process,
    post,
    failed: error => restoration.broken(error),
  })
  const slot = createSlot(context.scheduler, {
    startsProcess: () => startsProcess(memory.m),
    granted: () => post({ input: 'slot_granted' }),
    waits: what => post({ input: 'slot_waits', what }),
  })
  const restoration = createRestoration({
    context,
    session: id,
    memory,
    inbox,
    calls,
    snapshots,
    slot,
    process,
    end,
    recovered: forgetIfOver,
    stopped: () => stopped(),
  })
  const effects = createEffects({ context, slot, process, stopped: () => stopped() })
  const takeInputs = createInterpreter({
    build,
    memory,
    inbox,
    calls,
    entries,
    snapshots,
    effects,
    restoration,
    record,
  })
  const unsubscribe = [
    operatorPresence.onChange(() => post({ input: 'presence', emptySince: operatorPresence.emptySince })),
    sleepWatch.onSleep(sleep => post({ input: 'slept', ...sleep })),
  ]
  if (made?.opening) inbox.putFirst([{ input: 'opened', event: made.opening, time: Date.now() }])

  function post(input: Untimed) {
    // While the daemon leaves, results of work under way are still stored, so that the next daemon finds the process.
    if (memory.mode === 'over' || (memory.mode === 'leaving' && !finishing.has(input.input))) {
      if ('call' in input) calls.close(input.call)?.reject(callError(stopping))
      return
    }
    inbox.push({ ...input, time: Date.now() })
  }

  function tick() {
    // Posts a sleep of the machine before the tick.
    sleepWatch.sleptSince(Date.now())
    try {
      const printedAt = watchesOutput() ? lastPrintedAt(context.processesDir, memory.m.s.process!) : undefined
      post({ input: 'tick', ...(printedAt !== undefined && { printedAt }) })
    } catch (error) {
      restoration.broken(error)
    }
  }

  /** Whether the active run has an inactivity limit and a live process. */
  function watchesOutput(): boolean {
    const { s, v } = memory.m
    return s.active?.stored.run.limits?.inactivityMs !== undefined && s.process !== null && v.process?.phase === 'live'
  }

  function forgetIfOver() {
    if (!memory.m.v.forgotten || memory.mode !== 'open' || inbox.isBusy || restoration.isFailing) return
    if (!inbox.isEmpty || entries.uncommitted > 0 || !calls.isEmpty) return
    end()
    context.onIdle(id)
  }

  function end() {
    memory.mode = 'over'
    calls.rejectAll(callError(stopping))
    for (const each of unsubscribe) each()
    restoration.stop()
    ticker.remove(key)
  }

  /** Returns the current record, including changes that are not stored yet. */
  function record(): Session {
    const { session } = memory.records ?? project(memory.m, undefined, Date.now())
    return { ...session, head: memory.m.s.head }
  }

  return {
    get record() {
      return record()
    },
    get busy() {
      return isWorking(memory.m.s) || memory.m.s.queue.length > 0
    },
    get queuedRuns() {
      return memory.m.s.queue.length
    },
    get queuedBytes() {
      return queuedBytes(memory.m)
    },
    activityOf: run => activityOf(memory.m, run, Date.now()),
    get hasIdleProcess() {
      return isIdle(memory.m) && memory.m.v.process?.closing === false
    },
    endIdleProcess() {
      if (!isIdle(memory.m)) return false
      void calls.open(call => post({ input: 'end_idle', call })).catch(() => {})
      return true
    },

    enqueue: (prompt, by, keep, limits) =>
      calls.open(call => {
        const ids = { run: `r_${nanoid()}`, promptUuid: randomUUID() }
        post({ input: 'enqueue', call, ...ids, prompt, by, ...(limits && { limits }) })
      }, keep),
    move: (run, to, by) => calls.open(call => post({ input: 'move', call, run, to, by })),
    cancel: (run, by, mode, reason) =>
      calls.open(call => post({ input: 'cancel', call, run, mode, by, ...(reason !== undefined && { reason }) })),
    async answer(answer, by, keep) {
      const question = memory.m.s.open.find(({ approval }) => approval.approval === answer.approval)
      if (!question) return null
      const resolution = resolutionOf(agent, question.approval, answer, by)
      const { approval } = question.approval
      return calls.open(call => post({ input: 'answer', call, approval, resolution, by }), keep)
    },
    update: (changes, by) => calls.open(call => post({ input: 'update', call, changes, by })),
    used: () => calls.open(call => post({ input: 'use', call })),
    close: ({ sweep } = { sweep: false }) => calls.open(call => post({ input: 'close', call, sweep })),

    takeOver(facts) {
      inbox.putFirst(restoration.begin(facts, process.adopt))
      inbox.run()
    },
    readOn() {
      const { s, v } = memory.m
      if (!s.process || v.process?.phase !== 'catching_up') return
      const { pid } = v.process
      if (pid !== null)
        log.info('a process was taken over', { session: id, process: s.process.id, pid, reread: memory.reread })
      process.read(s.process)
    },

    drop() {
      const { process: current } = memory.m.s
      end()
      slot.carryOut('give_slot')
      if (current) process.carryOut({ effect: 'discard', process: current.id })
      process.carryOut({ effect: 'release_conversation', process: null })
      context.onIdle(id)
    },
    async shutdown(reason) {
      memory.stopReason = reason
      const over = new Promise<void>(resolve => void (stopped = resolve))
      post({ input: 'shutdown', reason })
      if (memory.mode === 'open') await over
      await process.settled()
      end()
    },
    async leave() {
      memory.mode = 'leaving'
      // The effects of entries that are not committed yet may start a process.
      journal.flush()
      await process.settled()
      journal.flush()
      await process.leave()
      end()
    },
  }
}

/** The inputs that are still taken while the daemon leaves. */
const finishing = new Set<string>(['started', 'start_failed', 'cleared'] satisfies Input['input'][])
