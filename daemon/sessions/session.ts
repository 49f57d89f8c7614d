import { startDeadline } from '../os/deadline.ts'
import type {
  Activity,
  Actor,
  Approval,
  ApprovalAnswer,
  CancelMode,
  EventBody,
  Run,
  RunLimits,
  Session,
  SessionChanges,
} from '../../protocol/index.ts'
import { userLine } from '../agents/claude/control.ts'
import type { Answer, Reply } from '../agents/agent.ts'
import type { KeepAnswer } from '../rpc/idempotency.ts'
import { RpcError } from '../rpc/rpc-error.ts'
import { type ActiveRun, createRun } from './active-run.ts'
import { createApprovals } from './approvals.ts'
import { createBackgroundWait } from './background-wait.ts'
import { createConversation } from './conversation.ts'
import { createFaults } from './faults.ts'
import { withFirstPrompt } from './first-prompt.ts'
import { isClientsAnswer, used } from './last-use.ts'
import { changed, changesInEvent, concernsProcess } from './machine/changes.ts'
import { createRecorder } from './recorder.ts'
import { createRunEnding } from './run-ending.ts'
import { createRunQueue } from './run-queue.ts'
import { createRequests } from './requests.ts'
import type { Place } from './admission.ts'
import type { SessionContext } from './session-context.ts'
import { createSessionRules } from './session-rules.ts'
import { createSessionProcess } from './session-process.ts'
import { createStorageFailures } from './storage-failures.ts'
import { createTakeOver, type Inheritance } from './take-over.ts'
import { applyToProcess } from './update.ts'

/**
 * A session that is at work or is about to be: the half that acts. It queues runs, starts, feeds and ends the process, and
 * keeps the times. What is written is `conversation.ts`'s part, the end that is asked for `run-ending.ts`'s.
 */
export interface LiveSession {
  readonly record: Session
  /** Appends a run to the queue. Throws `DiskFull` when it cannot be stored. */
  enqueue(prompt: string, by: Actor, keep?: KeepAnswer, limits?: RunLimits): Run
  /** Gives a queued run another place; undefined when it is none of this session's queued ones. */
  move(run: string, to: number, by: Actor): Run | undefined
  /** Asks for the end of a run; undefined when it is none of this session's unfinished ones. */
  cancel(run: string, by: Actor, mode: CancelMode, reason: string | undefined): Run | undefined
  /** Answers a question of Claude Code; undefined when it is none of those that await an answer. */
  answer(answer: ApprovalAnswer, by: Actor, keep?: KeepAnswer): Approval | undefined
  /** Changes the session, and its process if it has one. Throws `RpcError`, and `DiskFull` when it cannot be stored. */
  update(changes: SessionChanges, by: Actor): Promise<Session>
  /** A client has made use of it in a way that leaves no event in its log. */
  used(): void
  /** Whether a run is queued or active. */
  readonly busy: boolean
  /** Bytes of the prompts that are queued here. */
  readonly queuedBytes: number
  /** The last sign of life of a run that goes on here. */
  activityOf(run: string): Activity | undefined
  /** It has a process that nobody needs now and that has not been told to end. */
  readonly hasIdleProcess: boolean
  /** Ends its process when nobody needs it now. Answers whether it does, or is about to end anyway. */
  endIdleProcess(): boolean
  /** Goes on where the daemon before this one had got. Called once, before anything else. */
  takeOver(inherited: Inheritance): void
  /**
   * Ends the process, gently, and with `sweep` what the session's processes have left behind. Resolves when they are gone, and
   * when the changes are made that were asked for before.
   */
  close(options?: { sweep: boolean }): Promise<void>
  /** The daemon stops: ends the process, every unfinished run becomes `interrupted`. */
  shutdown(reason: string): Promise<void>
  /** The daemon goes and another will come: stops acting, and leaves everything as it is. */
  leave(): Promise<void>
}

/** `made`: `stored` is not stored yet, and is with the first run; its log begins with `opening`. */
export function createSession(
  context: SessionContext,
  stored: Session,
  made?: { opening: EventBody | undefined },
): LiveSession {
  const { store, journal, config, admission } = context
  const id = stored.session
  const oneShot = config.idleCloseMs === 0
  // A place among the active runs, asked for or held for the first queued run.
  let place: Place | undefined
  let starting: Promise<unknown> | null = null
  let cancelIdleClose = () => {}
  // Nothing is begun any more. `stopReason`: what runs ends because of that; without it, it is left to the next daemon.
  let stopping = false
  let stopReason: string | undefined

  const recorder = createRecorder({
    session: id,
    head: store.events.bounds(id).head,
    isNew: made !== undefined,
    journal,
    onPublished: context.onPublished,
    onFailed: (error, entry) => storage.failed(error, entry),
  })
  const conversation = createConversation(
    { ...stored, process: null },
    recorder,
    {
      reply,
      answered,
      runEnded,
      outcomeHeld: () => process.live?.endGently(),
      toolBoundary: () => process.live?.claude.note(),
    },
    context.agent,
  )
  const approvals = createApprovals({
    ...context,
    conversation,
    decided(approval, keep) {
      if (conversation.active && approval.resolvedAt) conversation.active.answeredAt = approval.resolvedAt
      if (keep) recorder.answer(keep(approval))
      if (isClientsAnswer(approval)) acted()
      else refresh()
      commitNow()
    },
    interrupted: {
      request({ run, by, message }) {
        const denied = goingOn(run ?? '')
        if (denied && by && 'client' in by) ending.request(denied, by, 'interrupt', message)
      },
      bringAbout({ run }) {
        const denied = goingOn(run ?? '')
        if (denied?.cancel) ending.bringAbout(denied, 'interrupt')
      },
    },
    send: (line, lineId) => process.live?.claude.send(line, lineId),
    isListening: () => process.live !== null && !stopping && !takeOver.isCatchingUp,
  })
  const process = createSessionProcess({
    context,
    session: id,
    conversation,
    recorder,
    refresh,
    commitNow,
    heard(before) {
      if (conversation.record !== before || conversation.record.state !== state()) refresh()
    },
    read() {
      approvals.review()
      lendPlace()
      if (backgroundWait.isWaiting) next()
      settle()
    },
    caughtUp: () => takeOver.caughtUp(),
    stalled: error => storage.stalled(error),
    faulted: fault => faults.handle(fault),
    stopReason: () => stopReason,
    ended: processEnded,
  })
  const queue = createRunQueue(run => recorder.run(run.stored))
  const backgroundWait = createBackgroundWait(config.backgroundWaitMs, () => faults.guard('running', next))
  const ending = createRunEnding({
    ...context,
    conversation,
    recorder,
    process: () => process.live,
    isStarting: () => starting !== null,
    isResuming: () => takeOver.isResuming,
    refresh,
    saved,
  })
  const requests = createRequests()
  const rules = createSessionRules(conversation, requests, () => process.live?.claude)
  const faults = createFaults({
    ...context,
    session: id,
    conversation,
    recorder,
    process: () => process,
    queue: () => queue,
    refresh,
  })
  const storage = createStorageFailures({
    ...context,
    session: id,
    conversation,
    recorder,
    process,
    queue,
    faults,
    works: goOnIdle,
  })
  const takeOver = createTakeOver({
    ...context,
    session: id,
    conversation,
    recorder,
    approvals,
    process,
    queue,
    ending,
    rules,
    faults,
    find,
    refresh,
    reply,
    bring,
    startWith: run => work(bring(run, run.stored.run.firstSeq)),
    goOn: () => faults.guard('running', goOnIdle),
  })
  let updating: Promise<unknown> = Promise.resolve()
  if (made?.opening) recorder.event(made.opening, null, Date.now())
  refresh()
  queueMicrotask(next)

  return {
    get record() {
      return { ...conversation.record, head: recorder.head }
    },
    get busy() {
      return queue.length > 0 || isWorking()
    },

    get queuedBytes() {
      return queue.promptBytes
    },
    get hasIdleProcess() {
      return isIdle() && process.live?.ending === false
    },
    activityOf,
    endIdleProcess,

    enqueue(prompt, by, keep, limits) {
      const run = createRun(id, prompt, by, recorder.head + 1, limits)
      recorder.event({ type: 'run_queued', prompt, origin: by }, run.stored.run.run, Date.now())
      if (queue.length === 0) queue.waitFor(isWorking() ? 'session' : undefined)
      queue.push(run)
      cancelIdleClose()
      if (keep) recorder.answer(keep(run.stored.run))
      conversation.record = { ...withFirstPrompt(conversation.record, prompt), lastRun: run.stored.run.run }
      acted()
      commitNow()
      const accepted = run.stored.run
      next()
      return accepted
    },

    move(runId, to, by) {
      const run = queue.find(runId)
      if (!run) return undefined
      const before = run.stored.run.position
      const moved = queue.move(run, to)
      if (moved === before) return run.stored.run
      recorder.event({ type: 'run_moved', by, to: moved }, runId, Date.now())
      acted()
      commitNow()
      return run.stored.run
    },

    cancel(runId, by, mode, reason) {
      const run = find(runId)
      if (!run) return undefined
      acted()
      ending.cancel(run, by, mode, reason)
      commitNow()
      return run.stored.run
    },

    answer: approvals.answer,
    used() {
      acted()
      commitNow()
      settle()
    },
    update(changes, by) {
      // One after the other: what the process makes of one is known before the next is asked for.
      const updated = updating
        .then(() => update(changes, by))
        .finally(() => rules.changed(false))
        .finally(settle)
      updating = updated.catch(() => {})
      return updated
    },

    takeOver: inheritance => takeOver.begin(inheritance),

    async close({ sweep } = { sweep: false }) {
      cancelIdleClose()
      conversation.record = { ...conversation.record, state: 'closed' }
      await starting
      if (process.live) {
        process.live.endGently()
        await process.gone()
      }
      await process.settled()
      if (sweep) await process.endLeft()
      await updating
      acted()
      recorder.commit()
      settle()
    },

    async shutdown(reason) {
      stopping = true
      stopReason = reason
      approvals.stop()
      cancelIdleClose()
      ending.stop()
      backgroundWait.stop()
      requests.stop()
      await starting
      if (process.live) {
        // An idle one ends by itself, so that what it detached goes on.
        if (isWorking()) process.live.endByForce()
        else process.live.endGently()
        await process.gone()
      }
      for (const run of [conversation.background, conversation.active, ...queue]) {
        if (run) conversation.end(run, 'lost', Date.now(), { lost: reason })
      }
      recorder.commit()
      await process.settled()
    },

    async leave() {
      stopping = true
      approvals.stop()
      cancelIdleClose()
      ending.stop()
      backgroundWait.stop()
      requests.stop()
      await starting
      await process.settled()
      process.leave()
      recorder.commit()
    },
  }

  // -- runs ----------------------------------------------------------------------------------------------------------

  /** Asks for a place for the first queued run when the session is free, and starts it when it has one. */
  function next() {
    if (stopping || takeOver.isCatchingUp || process.isBehind || conversation.record.unusable) return
    if (starting || isWorking()) return bringUndelivered()
    if (place || queue.length === 0) return backgroundWait.stop()
    if (backgroundWait.waits(endsBackgroundWork())) {
      queue.waitFor('background')
      return recorder.commit()
    }
    let isAdmitted = false
    place = asking
    place = admission.request({
      startsProcess: () => !process.suits(queue.first?.stored.run.limits),
      waits(what) {
        if (stopping) return
        queue.waitFor(what)
        recorder.commit()
      },
      admitted() {
        if (place === asking) isAdmitted = true
        else work(deliver())
      },
    })
    if (isAdmitted) work(deliver())
  }

  /** Whether the next run needs another process while there is background work in the present one. */
  function endsBackgroundWork(): boolean {
    const { live } = process
    const needsAnother = live !== null && !live.ending && !process.suits(queue.first?.stored.run.limits)
    return needsAnother && conversation.backgroundTasks > 0
  }

  function work(delivery: Promise<void>) {
    const delivered = delivery.catch((error: unknown) => faults.handle({ error, where: 'running' }))
    starting = delivered.finally(() => {
      starting = null
      faults.guard('running', goOnIdle)
    })
  }

  /** Brings the first queued prompt to Claude Code, whose process is started where there is none that will do. */
  async function deliver() {
    // It stays queued until the process before it is gone, whose end is not its own.
    while (process.live && queue.length > 0 && !process.suits(queue.first?.stored.run.limits)) {
      process.live.endGently()
      await process.gone()
    }
    const run = queue.first
    const held = place
    // The place was given back when the last one that waited for it was cancelled; who came since asks anew.
    if (!run || !held || stopping) return
    place = undefined
    // The output of the process before is to be stored first.
    if (process.isBehind) return held.leave()
    queue.shift()
    queue.waitFor('session')
    run.place = held
    conversation.begin(run, Date.now())
    refresh()
    // Before the prompt is sent: the next daemon must know whose turn it is that begins.
    if (saved()) await bring(run, recorder.head)
  }

  /** The process ended before it read the prompt of its run. */
  function bringUndelivered() {
    const { active } = conversation
    if (!active || starting || process.live || active.stored.run.state !== 'running') return
    work(bring(active, active.stored.run.firstSeq))
  }

  /** `firstSeq` is where it began, or before. */
  async function bring(run: ActiveRun, firstSeq: number) {
    const claude = process.live?.claude ?? (await process.start(run, firstSeq))
    const uuid = run.stored.promptUuid
    const failure = claude && (await rules.ready(claude))
    if (!claude || uuid === null || process.live?.claude !== claude || stopping) return
    if (conversation.active !== run || run.stored.run.state !== 'running') return
    if (!failure) return claude.send(userLine(uuid, run.stored.run.prompt), uuid)
    conversation.end(run, 'refused', Date.now(), { failure })
    recorder.commit()
    process.live?.endGently()
  }

  function runEnded(run: ActiveRun) {
    run.place?.leave()
    queue.remove(run)
    if (queue.length === 0 && place) {
      place.leave()
      place = undefined
    }
    ending.ended(run)
    faults.runEnded(run)
    refresh()
    queueMicrotask(() => faults.guard('running', goOnIdle))
  }

  function goOnIdle() {
    next()
    settle()
  }

  function find(runId: string): ActiveRun | undefined {
    return goingOn(runId) ?? queue.find(runId)
  }

  function goingOn(runId: string): ActiveRun | undefined {
    return [conversation.active, conversation.background].find(run => run?.stored.run.run === runId) ?? undefined
  }

  function isWorking(): boolean {
    return conversation.active !== null || conversation.background !== null
  }

  function activityOf(runId: string): Activity | undefined {
    const { activity } = conversation
    return goingOn(runId) && activity && { ...activity, silentMs: Math.max(0, Date.now() - activity.at) }
  }

  // -- changes -------------------------------------------------------------------------------------------------------

  async function update(changes: SessionChanges, by: Actor): Promise<Session> {
    if (concernsProcess(changes)) {
      // One that is being started has the old options.
      while (starting) await starting
      const { live } = process
      if (live && !live.ending) {
        const how = await applyToProcess({ requests, rules, claude: live.claude }, changes, conversation.record)
        if (how === 'restart') endIfIdle('it has to be started anew for this mode')
      }
    }
    if (changes.conversationId === null) {
      endIfIdle('its conversation cannot be given up now')
      while (process.live) await process.gone()
      endIfIdle('its conversation cannot be given up now')
    }
    if (stopping) throw new RpcError('overloaded', 'the daemon is stopping', { limit: 'stopping', value: 0 })
    if (Object.keys(changes).length === 0) return conversation.record
    recorder.event({ type: 'session_updated', by, changes: changesInEvent(changes) }, null, Date.now())
    conversation.record = changed(conversation.record, changes)
    acted()
    commitNow()
    rules.changed(true)
    const after = { ...conversation.record, head: recorder.head }
    if (changes.approvals) approvals.reconsider()
    return after
  }

  function endIfIdle(why: string) {
    if (conversation.active || conversation.background || queue.length > 0) {
      const run = conversation.record.lastRun
      throw new RpcError('conflict', `session ${id} has a run that has not ended (${run}): ${why}`, { run })
    }
    const tasks = process.live ? conversation.backgroundTasks : 0
    if (tasks > 0) {
      throw new RpcError('conflict', `session ${id} has background work (${tasks}) that has not ended: ${why}`, {
        backgroundTasks: tasks,
      })
    }
    process.live?.endGently()
  }

  // -- process -------------------------------------------------------------------------------------------------------

  function processEnded() {
    requests.ended()
    approvals.review()
    next()
    settle()
    admission.recheck()
  }

  /** With nothing to do, the process is kept for a while; without a process, the session is forgotten. */
  function settle() {
    cancelIdleClose()
    if (isWorking() || queue.length > 0 || starting || stopping || takeOver.isCatchingUp) return
    // What could not be stored is tried again later: at once it would fail again, and come back here again.
    const { live } = process
    if (!live) return !storage.isFailing && !process.isClearing && saved() ? context.onIdle(id) : undefined
    if (!isIdle()) return
    if (oneShot || live.ending || process.isForOneRun) return live.endGently()
    cancelIdleClose = startDeadline(Date.now() + config.idleCloseMs, () => process.live?.endGently())
    context.onProcessIdle()
  }

  function endIdleProcess(): boolean {
    if (!isIdle()) return false
    process.live?.endGently()
    return true
  }

  /** It has a process without a run, background work or a question. */
  function isIdle(): boolean {
    if (!process.live || starting || takeOver.isCatchingUp || queue.length > 0 || isWorking()) return false
    return conversation.backgroundTasks === 0 && conversation.questions.open.length === 0
  }

  function reply({ line, lineId }: Reply) {
    process.live?.claude.send(line, lineId)
  }

  function answered(answer: Answer) {
    const { live } = process
    if (!live) return
    if (!requests.answered(answer)) rules.unclaimed(answer, live.claude)
    ending.answered(answer)
  }

  // -- records -------------------------------------------------------------------------------------------------------

  /** A client has acted on the session. */
  function acted() {
    conversation.record = used(conversation.record, Date.now())
    refresh()
  }

  /** A run that waits for an answer lends its place, until it has one. */
  function lendPlace() {
    const { active, questions } = conversation
    const isAsking = questions.open.some(({ approval }) => approval.run === active?.stored.run.run)
    if (isAsking) active?.place?.lend()
    else active?.place?.takeBack()
  }

  /** Keeps the session's record in step with what it does. */
  function refresh() {
    lendPlace()
    conversation.record = { ...conversation.record, state: state(), updatedAt: Date.now(), head: recorder.head }
    recorder.session(conversation.record)
    ending.look()
  }

  function state(): Session['state'] {
    const isAsking = conversation.questions.open.length > 0
    if (conversation.active || conversation.background || queue.length > 0) return isAsking ? 'waiting' : 'running'
    if (conversation.record.state === 'closed') return 'closed'
    return isAsking ? 'waiting' : 'idle'
  }

  function saved(): boolean {
    return storage.saved()
  }

  /** Commits before the answer that promises it; throws what stood in the way. */
  function commitNow() {
    if (!saved()) throw storage.error
  }
}

/** In the place of one that is being asked for. */
const asking: Place = { leave() {}, lend() {}, takeBack() {} }
