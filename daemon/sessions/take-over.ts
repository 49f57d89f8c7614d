import { passThrowPoint } from '../hook-points.ts'
import type { StoredApproval, StoredProcess, StoredRun } from '../store/store.ts'
import type { Reply } from '../agents/agent.ts'
import { type ActiveRun, resumeRun } from './active-run.ts'
import type { Approvals } from './approvals.ts'
import type { Conversation } from './conversation.ts'
import type { Faults } from './faults.ts'
import { hasPrinted } from './history.ts'
import type { LiveProcess } from './live-process.ts'
import { believe, recall } from './recall.ts'
import type { Recorder } from './recorder.ts'
import type { RunEnding } from './run-ending.ts'
import { inQueueOrder, type RunQueue } from './run-queue.ts'
import type { SessionContext } from './session-context.ts'
import { ptyHostDied, type SessionProcess } from './session-process.ts'
import type { SessionRules } from './session-rules.ts'

/** What a session had under way when the daemon before this one ended. */
export interface Inheritance {
  /** Oldest first. */
  unfinished: readonly StoredRun[]
  /** Its process, as far as anybody knew. */
  process: StoredProcess | undefined
}

/**
 * Goes on with a session where the daemon before this one stopped. What its process printed meanwhile is read first: until
 * then nothing is sent to it, and no limit, deadline or policy is checked against what is out of date.
 */
export interface TakeOver {
  begin(inheritance: Inheritance): void
  /** The process has printed more than is read so far. */
  readonly isCatchingUp: boolean
  /** The same, or the prompt of its run is being sent again. */
  readonly isResuming: boolean
  /** All that the process had printed when it was taken over has been read. */
  caughtUp(): void
}

export interface TakeOverOptions
  extends Pick<SessionContext, 'store' | 'build' | 'processesDir' | 'log' | 'admission'> {
  session: string
  conversation: Conversation
  recorder: Recorder
  approvals: Approvals
  process: SessionProcess
  queue: RunQueue
  ending: RunEnding
  rules: SessionRules
  faults: Faults
  /** A run of the session that has not ended. */
  find(run: string): ActiveRun | undefined
  refresh(): void
  reply(reply: Reply): void
  /** Sends the prompt of a run that began at `firstSeq` or later; a prompt that was sent before is dropped. */
  bring(run: ActiveRun, firstSeq: number): Promise<void>
  /** Starts a process for a run that has begun. */
  startWith(run: ActiveRun): void
  /** Begins what is due next. */
  goOn(): void
}

export function createTakeOver(options: TakeOverOptions): TakeOver {
  const { session, conversation, recorder, approvals, process, queue, ending, rules, faults, store, log } = options
  let unread: { row: StoredProcess; asked: readonly StoredApproval[] } | undefined
  let isBeginning = false
  let isBringing = false

  function begin({ unfinished, process: row }: Inheritance) {
    const reread = row && recall(options, row)
    const asked = row ? store.approvals.ofProcess(row.id) : []
    believe(conversation, unfinished, asked)
    if (conversation.active) conversation.active.answeredAt = answeredAt(asked)
    queue.waitFor(conversation.active || conversation.background ? 'session' : undefined)
    queue.push(...inQueueOrder(unfinished.filter(({ run }) => run.state === 'queued').map(resumeRun)))
    if (conversation.active) conversation.active.place = options.admission.take()
    options.refresh()
    if (row && hasPrinted(options.processesDir, row)) {
      unread = { row, asked }
      process.takeOver(row, reread)
      if (process.live) log.info('a process was taken over', { session, process: row.id, pid: row.pid, reread })
    } else startAgain(row)
  }

  const isCatchingUp = () => isBeginning || (unread !== undefined && process.live?.claude.id === unread.row.id)

  /** With a live process. The pty-host drops lines that were sent before. */
  function resume(live: LiveProcess, { firstSeq }: StoredProcess, asked: readonly StoredApproval[]) {
    for (const each of conversation.replies) options.reply(each)
    // Answers of a run that has ended arrived.
    approvals.sendAgain(asked.filter(({ approval: { run } }) => run === null || options.find(run)))
    approvals.review()
    const run = conversation.active
    if (live.claude.inputEnded || run?.held) live.endGently()
    if (run?.stored.run.state === 'cancelling') ending.resume(run, live)
    else if (run && !run.held && !run.hasBegun) bringAgain(run, firstSeq)
    else if (!live.ending) void rules.ready(live.claude)
    ending.look()
    options.goOn()
  }

  /** Limits are checked behind it: an interrupt that comes before its prompt has no effect. */
  function bringAgain(run: ActiveRun, firstSeq: number) {
    isBringing = true
    options
      .bring(run, firstSeq)
      .finally(() => {
        isBringing = false
        ending.look()
      })
      .catch((error: unknown) => faults.handle({ error, where: 'running' }))
  }

  /** The daemon before this one was about to start a process for a run. */
  function startAgain(row: StoredProcess | undefined) {
    if (row) recorder.process({ ...row, endedAt: Date.now() })
    const { active, background } = conversation
    if (background) conversation.end(background, 'lost', Date.now(), { lost: ptyHostDied })
    if (active?.stored.run.state === 'cancelling')
      conversation.end(active, 'process_ended', Date.now(), { unsent: true })
    else if (active) options.startWith(active)
  }

  /** The tables alone say what there is; its process is killed, as one that belongs to nobody. */
  function notRestored({ unfinished, process: row }: Inheritance, error: unknown) {
    believe(conversation, unfinished, row ? store.approvals.ofProcess(row.id) : [])
    for (const { run, promptUuid } of unfinished) {
      if (run.state === 'queued' && !queue.find(run.run)) queue.push(resumeRun({ run, promptUuid }))
    }
    if (row) recorder.process({ ...row, endedAt: Date.now() })
    faults.handle({ error, where: 'restoring' })
  }

  return {
    get isCatchingUp() {
      return isCatchingUp()
    },
    get isResuming() {
      return isCatchingUp() || isBringing
    },

    begin(inheritance) {
      isBeginning = true
      try {
        passThrowPoint('restored', session)
        begin(inheritance)
      } catch (error) {
        notRestored(inheritance, error)
      } finally {
        isBeginning = false
      }
      ending.look()
      recorder.commit()
      // Sessions that are taken over next have places among the active runs already.
      queueMicrotask(options.goOn)
    },

    caughtUp() {
      const { live } = process
      const read = unread
      unread = undefined
      isBeginning = false
      if (live && read) resume(live, read.row, read.asked)
    },
  }
}

/** When the last of the questions was answered: silence counts from then. */
const answeredAt = (asked: readonly StoredApproval[]): number =>
  Math.max(0, ...asked.map(({ approval }) => approval.resolvedAt ?? 0))
