import type { RunLimits, Session } from '../../protocol/index.ts'
import {
  adoptClaudeProcess,
  type ClaudeProcess,
  type OutputSink,
  type ProcessEnd,
  readEndedProcess,
  startClaudeProcess,
} from '../agents/claude/claude-process.ts'
import { holdsLimits, type ProcessLimits, withLimits } from '../agents/claude/process-limits.ts'
import type { OutputLine } from '../agents/agent.ts'
import type { StoredProcess } from '../store/store.ts'
import { openTemporary } from '../home/temporary-place.ts'
import type { Fault } from './faults.ts'
import type { ActiveRun } from './active-run.ts'
import { withReportedMode } from './permission-mode.ts'
import { beginningOf, idOf } from './beginning.ts'
import { checkStart } from './check-start.ts'
import type { Conversation } from './conversation.ts'
import { hasPrinted } from './history.ts'
import { isGraceful, withLeft, withoutLeft } from './left-processes.ts'
import { createLiveProcess, type LiveProcess } from './live-process.ts'
import { counterBefore, newProcess } from './new-process.ts'
import { startFailure } from './own-failures.ts'
import { conversationKey, createOwnership } from './ownership.ts'
import { believe, recall } from './recall.ts'
import type { Recorder } from './recorder.ts'
import type { SessionContext } from './session-context.ts'
import { createSnapshots, type Reread } from './snapshots.ts'

/**
 * The process of a session, one after the other: starts it or takes it over, brings what it prints to the conversation,
 * and ends with it the runs that it leaves behind. When one is needed, and when it is to end, is the session's part.
 */
export interface SessionProcess {
  /** The one that is there. */
  readonly live: LiveProcess | null
  /** Whether the one that is there will do for a run with these limits. */
  suits(limits: RunLimits | undefined): boolean
  /** It was given a budget, and counts what it spends from its start on: it does for one run only. */
  readonly isForOneRun: boolean
  /**
   * Starts one for a run that began at `firstSeq`, or behind. Resolves with undefined when that fails, and then the run has
   * ended, and when the run ends before its process is there.
   */
  start(run: ActiveRun, firstSeq: number): Promise<ClaudeProcess | undefined>
  /** Goes on with one that the daemon before this one had, or with what is left of it to be read. */
  takeOver(row: StoredProcess, reread?: Reread): void
  /** Kills the one that is there without reading on: a fault has made its output useless. */
  discard(): void
  /**
   * What it has printed could not be stored: kills the one that is there, and stops reading. Its row stays as it is stored,
   * so that a later daemon reads on from there too.
   */
  fallBehind(): void
  /** There is output that could not be stored. */
  readonly isBehind: boolean
  /** Reads that once more, from the last checkpoint to the end. False while its process has not ended. */
  readAgain(): boolean
  /** Resolves when the one that is there has ended, and with it what it must not leave behind. */
  gone(): Promise<void>
  /** What the last one has left behind is being looked for. */
  readonly isClearing: boolean
  /** Ends what the session's processes have left behind. */
  endLeft(): Promise<void>
  /** The daemon goes without it: whatever comes of it is the next one's. */
  leave(): void
  /** Resolves when what it held is given back. */
  settled(): Promise<void>
}

export interface SessionProcessOptions {
  context: SessionContext
  session: string
  conversation: Conversation
  recorder: Recorder
  refresh(): void
  /** Throws what stood in the way. */
  commitNow(): void
  /** It has printed something, which is gathered: the record, which was `before`, may have to follow. */
  heard(before: Session): void
  /** What it has printed is committed. */
  read(): void
  /** What one that was taken over had printed until then is committed. */
  caughtUp(): void
  /** What it prints cannot be kept. */
  stalled(error: unknown): void
  /** An exception in what is done with its output. */
  faulted(fault: Fault): void
  /** Why its end is the daemon's doing; undefined where it is not. */
  stopReason(): string | undefined
  ended(): void
}

export function createSessionProcess(options: SessionProcessOptions): SessionProcess {
  const { context, session, conversation, recorder } = options
  const { store } = context
  const ownership = createOwnership(context, session)
  let live: LiveProcess | null = null
  // Those of the run that it was started for.
  let liveLimits: ProcessLimits | undefined
  let left = false
  let waiting: (() => void)[] = []
  let clearing = 0
  // The latest one.
  let current: StoredProcess | undefined
  const discarded = new Set<string>()
  // The process whose output could not be stored.
  let behind: string | undefined

  return {
    get live() {
      return live
    },
    suits: limits => live !== null && !live.ending && holdsLimits(liveLimits, limits),
    get isForOneRun() {
      return liveLimits?.maxBudgetUsd !== undefined
    },

    async start(run, firstSeq) {
      const { record } = conversation
      const beginning = beginningOf(record, crypto.randomUUID())
      // The process before may have ended a moment ago: what it has counted must be stored to be found, else it counts twice.
      context.journal.flush()
      const key = conversationKey(context.environment, record.options.env, idOf(beginning))
      const counterUsd = await counterBefore(beginning, key, record)
      const row = newProcess(record, beginning, firstSeq, counterUsd, {
        translator: context.build,
        oneShot: context.config.idleCloseMs === 0,
      })
      const checkNeeded = () => {
        if (conversation.active !== run || run.stored.run.state !== 'running' || options.stopReason() !== undefined)
          throw new NotNeeded()
      }
      try {
        checkStart(record, context.config)
        const { path } = await context.locate()
        checkNeeded()
        const { limits } = run.stored.run
        await ownership.take(key, row.id)
        checkNeeded()
        conversation.processStarted(row)
        current = row
        // Stored before it exists: whatever happens next, its raw log is found again.
        recorder.process(row)
        options.commitNow()
        const claude = await startClaudeProcess(
          {
            ...context,
            id: row.id,
            nonce: row.nonce,
            path,
            cwd: record.cwd,
            tmpDir: openTemporary(context.home, session),
            conversation: beginning,
            options: withLimits(withReportedMode(record, context.config), limits),
            checkNeeded,
          },
          sinkOf(row),
        )
        ownership.hold(key, row.id, claude.pid)
        follow(claude, row, limits)
        return claude
      } catch (error) {
        ownership.release()
        if (current) recorder.process({ ...row, endedAt: Date.now() })
        current = undefined
        if (!(error instanceof NotNeeded))
          conversation.end(run, 'refused', Date.now(), { failure: startFailure(error) })
        recorder.commit()
        return undefined
      }
    },

    takeOver(row, reread) {
      current = row
      // What comes now is derived by this program, what came before by another: the two are not compared again.
      if (row.translator !== context.build) row.translator = null
      const reading = { ...context, nonce: row.nonce, from: row.offset }
      const held = context.ptyHost.list().find(process => process.id === row.id)
      holdConversation(row)
      if (held) follow(adoptClaudeProcess(held, reading, sinkOf(row, reread)), row, limitsOf(row))
      else readEndedProcess(row.id, reading, sinkOf(row))
    },

    discard() {
      live?.discard()
      live = null
      if (!current) return
      discarded.add(current.id)
      ownership.release()
      recorder.process({ ...current, endedAt: Date.now() })
      current = undefined
      notify()
    },

    fallBehind() {
      // One that is being started has printed nothing.
      if (current && !live) return
      behind = live?.claude.id ?? unfinishedRow()?.id
      live?.abandon()
    },

    get isBehind() {
      return behind !== undefined
    },

    readAgain() {
      if (live) return false
      behind = undefined
      const row = unfinishedRow()
      if (!row) return true
      if (!hasPrinted(context.processesDir, row)) {
        recorder.process({ ...row, endedAt: Date.now() })
        return true
      }
      recall({ ...context, conversation, recorder }, row)
      believe(conversation, [], store.approvals.ofProcess(row.id))
      readEndedProcess(row.id, { ...context, nonce: row.nonce, from: row.offset }, sinkOf(row))
      return true
    },

    gone: () => new Promise(resolve => waiting.push(resolve)),
    get isClearing() {
      return clearing > 0
    },
    async endLeft() {
      const { record } = conversation
      if (!record.left) return
      const ids = store.processes.ofSession(session).map(({ id }) => id)
      await context.ptyHost.endLeft(ids, record.left.processes)
      conversation.record = withoutLeft(conversation.record)
      options.refresh()
      recorder.commit()
    },

    leave() {
      left = true
      live?.leave()
    },

    async settled() {
      await ownership.settled()
      if (clearing > 0) await new Promise<void>(resolve => waiting.push(resolve))
    },
  }

  /** Where what a process prints goes. */
  function sinkOf(row: StoredProcess, reread?: Reread): OutputSink {
    const { build } = context
    const snapshots = createSnapshots({ conversation, recorder, build, process: row, ...(reread && { reread }) })
    const guarded = (work: () => void) => {
      if (discarded.has(row.id) || behind === row.id) return
      try {
        work()
      } catch (error) {
        options.faulted({ error, where: 'output', offset: row.offset })
      }
    }
    return {
      lines: (lines, offset) =>
        guarded(() => {
          const before = conversation.record
          if (!readLines(lines, row)) return
          if (conversation.record.conversationId !== before.conversationId) holdConversation(row)
          options.heard(before)
          row.offset = offset
          recorder.checkpoint(row.id, offset)
          snapshots.read(lines.length, offset)
          recorder.commit()
          context.onOutput(session)
          options.read()
        }),
      failed: error => guarded(() => options.faulted({ error, where: 'output', offset: row.offset })),
      caughtUp: () => guarded(options.caughtUp),
      stalled: error => guarded(() => options.stalled(error)),
      ended(end) {
        const finish = (isSwept: boolean) =>
          behind === row.id ? goneBehind() : guarded(() => processEnded(row, end, isSwept))
        if (!live?.signalled) return finish(false)
        // muxd ended it: nothing of it may live when the end of its run is published.
        live.ended()
        void sweepAfter(row, false).then(() => finish(true))
      },
    }
  }

  /** False where one of them was a fault: then the process is gone. Nothing of that line is kept. */
  function readLines(lines: readonly OutputLine[], row: StoredProcess): boolean {
    let { offset } = row
    let mark = recorder.mark()
    for (const line of lines) {
      try {
        conversation.line(line, row.id)
      } catch (error) {
        recorder.rewind(mark)
        row.offset = offset
        recorder.checkpoint(row.id, offset)
        options.faulted({ error, where: 'line', bytes: line.offset - offset, offset: line.offset })
        return false
      }
      ;({ offset } = line)
      mark = recorder.mark()
    }
    return true
  }

  function follow(claude: ClaudeProcess, row: StoredProcess, limits: ProcessLimits | undefined) {
    liveLimits = limits
    Object.assign(row, { pid: claude.pid, startedAt: claude.startedAt })
    live = createLiveProcess(claude, context.config.resultGraceMs)
    recorder.process(row)
    conversation.record = { ...conversation.record, process: { pid: claude.pid, startedAt: claude.startedAt } }
    options.refresh()
    recorder.commit()
    claude.follow()
  }

  /** The run that a process was started for. */
  function runOf({ firstSeq }: StoredProcess): string | undefined {
    return store.events.get(session, firstSeq)?.run ?? undefined
  }

  function limitsOf(row: StoredProcess): ProcessLimits | undefined {
    const run = runOf(row)
    return run === undefined ? undefined : store.runs.get(run)?.run.limits
  }

  /**
   * The prompt of the run was sent to a process that was there, and that has ended without reading it: the next process gets
   * it. A process that was started for the run would only end again.
   */
  function isUndelivered({ stored: { run }, hasArrived, hasBegun }: ActiveRun, row: StoredProcess): boolean {
    return run.state === 'running' && !hasArrived && !hasBegun && runOf(row) !== run.run
  }

  /** The conversation that a process is known to have: that of one which has told none is held already, or nobody's. */
  function holdConversation(row: StoredProcess) {
    const {
      conversationId,
      options: { env },
    } = conversation.record
    if (conversationId === null) return
    ownership.hold(conversationKey(context.environment, env, conversationId), row.id, row.pid)
  }

  function processEnded(row: StoredProcess, { status, stderrTail, lost }: ProcessEnd, isSwept: boolean) {
    // Its exit was read, and is not stored: the next daemon reads it again, and ends the run as it ended.
    if (left) return
    const forced = live?.forced ?? false
    live?.ended()
    live = null
    current = undefined
    ownership.release()
    const now = Date.now()
    conversation.releaseHeld(now, forced)
    const failure = conversation.failure(status, stderrTail)
    const interrupted = options.stopReason() ?? (lost ? ptyHostDied : undefined)
    const leftRun = conversation.background !== null || conversation.active !== null
    for (const run of [conversation.background, conversation.active]) {
      if (!run) continue
      if (interrupted === undefined && run === conversation.active && isUndelivered(run, row)) continue
      if (interrupted === undefined) conversation.end(run, 'process_ended', now, { failure })
      else conversation.end(run, 'lost', now, { lost: interrupted })
    }
    conversation.questions.withdraw(undefined, undefined, now)
    conversation.backgroundLost(now)
    recorder.process({ ...row, counterUsd: conversation.counterUsd, endedAt: now })
    conversation.record = { ...conversation.record, process: null }
    // Resuming it could fail now and ever after; what is lost by starting anew is a moment of a first turn. When a lost
    // process ended is not known.
    if (conversation.isUnkept(lost ? (conversation.lastLineAt ?? now) : now)) {
      conversation.record = { ...conversation.record, conversationId: null }
    }
    options.refresh()
    recorder.commit()
    if (isSwept) wentAway()
    else void clear(row, isGraceful({ status, lost, leftRun }))
  }

  /** Ends what a process has left behind, but what it detached before a graceful end: that is in the record from now on. */
  async function clear(row: StoredProcess, spareDetached: boolean) {
    const found = await sweepAfter(row, spareDetached)
    try {
      if (found.length > 0) {
        conversation.record = withLeft(conversation.record, found)
        options.refresh()
        recorder.commit()
      }
      wentAway()
    } catch (error) {
      options.faulted({ error, where: 'output', offset: row.offset })
    }
  }

  async function sweepAfter(row: StoredProcess, spareDetached: boolean) {
    clearing++
    const found = await context.ptyHost.clear(row.id, { spareDetached }).catch((error: unknown) => {
      context.log.error('what a process has left behind could not be ended', { process: row.id, error })
      return []
    })
    clearing--
    return found
  }

  function wentAway() {
    notify()
    options.ended()
  }

  /** It has ended, and what it printed is to be stored yet. */
  function goneBehind() {
    if (left) return
    live?.ended()
    live = null
    current = undefined
    ownership.release()
    conversation.record = { ...conversation.record, process: null }
    wentAway()
  }

  /** As it is stored. */
  function unfinishedRow(): StoredProcess | undefined {
    return store.processes.live().find(process => process.session === session)
  }

  function notify() {
    for (const resolve of waiting) resolve()
    waiting = []
  }
}

/** The run for which a process was about to be started has ended. */
class NotNeeded extends Error {}

export const ptyHostDied = 'the pty-host of its process died while it ran'
