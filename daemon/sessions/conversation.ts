import type { Activity, Actor, Approval, EventBody, Failure, Session } from '../../protocol/index.ts'
import { limits } from '../../protocol/limits.ts'
import { notDecodable } from '../agents/claude/frame.ts'
import type { OutputLine } from '../agents/claude/output.ts'
import { type BackgroundTasks, followBackgroundTasks, noBackgroundTasks } from '../agents/claude/background-tasks.ts'
import { classifyExit, failureOf } from '../agents/claude/failure.ts'
import { readPermissionRequest } from '../agents/claude/permission-request.ts'
import { shapeOf } from '../agents/claude/shape.ts'
import { createTranslator, resumeTranslator, type Translator } from '../agents/claude/translate/index.ts'
import type { TranslatorState } from '../agents/claude/translate/state.ts'
import { sumOfTokens } from '../usage/tokens.ts'
import { keepNewest } from '../agents/claude/translate/keep-newest.ts'
import { lengthOf } from '../agents/claude/translate/transcript.ts'
import {
  type Control,
  readCause,
  readControl,
  readPromptEnd,
  readPromptUuid,
  readTurn,
  type Turn,
} from '../agents/claude/turn.ts'
import {
  type ActiveRun,
  advance,
  createBackgroundRun,
  type Outcome,
  type Said,
  sealRun,
  terminalEvent,
} from './active-run.ts'
import { endOf } from './asked-end.ts'
import { createLastHeard, type LastHeardState } from './last-heard.ts'
import { used } from './last-use.ts'
import { limitFailure } from './own-failures.ts'
import { createQuestions, type Questions, type QuestionsState } from './questions.ts'
import type { Recorder, Source } from './recorder.ts'
import type { StoredProcess } from '../store/store.ts'
import { isEnded, type RunInput } from './run-state.ts'
import { rulesRequest } from './session-rules.ts'
import { passThrowPoint } from '../hook-points.ts'

/**
 * The half of a session that writes: it turns what Claude Code prints and what is done to runs into the session's log.
 * It starts, signals and times nothing; `session.ts` does, and listens to the hooks. That is why output read again
 * after a crash goes through the very same code.
 */
export interface Conversation {
  record: Session
  hooks: ConversationHooks
  /** The run whose prompt Claude Code has or gets; at most one. */
  active: ActiveRun | null
  /** The turn that Claude Code began by itself and that goes on now. */
  background: ActiveRun | null
  /** What Claude Code has asked and nobody has answered. */
  readonly questions: Questions
  /** Who has asked for the end of the run that a question belongs to. */
  cancellerOf(question: Approval): Actor | undefined
  /** Tasks that go on in the background of the process, as Claude Code counts them. */
  readonly backgroundTasks: number
  /** Writes that these tasks have ended with their process. */
  backgroundLost(time: number): void
  /** The process has answered to permission rules. */
  readonly wasGivenRules: boolean
  /** A process begins to print: nothing of the one before is in flight any more. */
  processStarted(process: StoredProcess): void
  /** Why the process ended without a result, from all that is known of it. */
  failure(status: number | null, stderrTail: string): Failure
  /** Claude Code's own cost counter, for the next process of the session. */
  readonly counterUsd: number
  line(line: OutputLine, process: string): void
  /**
   * Whether Claude Code may not know this conversation when its process was gone at `endedAt`: it had just begun, no
   * turn of it had ended, and the first lines of it reach the disk only a little later.
   */
  isUnkept(endedAt: number): boolean
  /** When the process printed its last line so far; undefined when it has printed none. */
  readonly lastLineAt: number | undefined
  /** What was last heard of the run that goes on; undefined when none does. */
  readonly activity: Omit<Activity, 'silentMs'> | undefined
  /** A queued run becomes the active one. */
  begin(run: ActiveRun, time: number): void
  /** Ends a run where `input` leads to an end. */
  end(run: ActiveRun, input: RunInput, time: number, facts?: EndFacts, source?: Source): void
  /** What was said in this turn is lost; nothing of it is told again. */
  forgetTurn(): void
  /** Ends the run whose outcome was kept back. */
  releaseHeld(time: number, forcedExit: boolean, source?: Source): void
  /** What Claude Code has asked in this turn that is no approval: after a crash nobody knows what was answered. */
  readonly requests: readonly Control[]
  /** All that is remembered of the process, as it is now: to be copied at once. */
  memory(): ConversationMemory
  /** Goes on from what was remembered of the same process. */
  remember(memory: ConversationMemory): void
}

/** Plain data, whose parts refer to each other. */
export interface ConversationMemory {
  process: ProcessMemory
  translator: TranslatorState
  lastHeard: LastHeardState
  questions: QuestionsState
  active: ActiveRun | null
  background: ActiveRun | null
}

/** What of a process neither its translator nor the runs know. */
interface ProcessMemory {
  resumed: boolean
  /** It has said something beside answering to us. */
  spoke: boolean
  background: BackgroundTasks
  cause: string | undefined
  begunAt: number | undefined
  lastLineAt: number | undefined
  /** Claude Code has this conversation on disk. */
  kept: boolean
  /** Claude Code names the prompts of a turn since 2.1; where it does, a turn without any is its own. */
  namesPrompts: boolean
  wasGivenRules: boolean
  requests: Map<string, Control>
}

const newProcess = (resumed: boolean, kept: boolean): ProcessMemory => ({
  resumed,
  spoke: false,
  background: noBackgroundTasks,
  cause: undefined,
  begunAt: undefined,
  lastLineAt: undefined,
  kept,
  namesPrompts: false,
  wasGivenRules: false,
  requests: new Map(),
})

export interface EndFacts {
  outcome?: Outcome
  failure?: Failure
  /** Why it is `interrupted`. */
  lost?: string
  /** Its prompt was never sent: nothing had to be ended. */
  unsent?: boolean
}

export interface ConversationHooks {
  /** A frame of the control protocol that is no approval's. */
  control(control: Control): void
  runEnded(run: ActiveRun): void
  /** An outcome is kept back now. */
  outcomeHeld(): void
  /** A tool begins, goes on or has ended: it may have started processes. */
  toolBoundary?(): void
}

const toolBoundaries: ReadonlySet<EventBody['type']> = new Set(['tool_use', 'tool_progress', 'tool_result'])

const endedWithoutResult = failureOf(
  { code: 'unknown', title: 'Claude Code ended the turn without a result', advice: 'Run it again', retryable: true },
  'no result of this prompt was found in the output',
)

// The first lines are on disk about 100 ms after the first turn's start; the rest is for busy machines.
const keptAfterMs = 2_000

export function createConversation(record: Session, recorder: Recorder, hooks: ConversationHooks): Conversation {
  let translator: Translator = createTranslator()
  let memory = newProcess(false, false)
  // An outcome is kept back until `releaseHeld` where the process ends with its run.
  let holdsOutcome = false
  const lastHeard = createLastHeard()
  const questions = createQuestions(recorder)

  const current = () => conversation.background ?? conversation.active
  const idOf = (run: ActiveRun | null) => run?.stored.run.run ?? null

  const conversation: Conversation = {
    record,
    hooks,
    active: null,
    background: null,
    questions,
    cancellerOf: ({ run }) =>
      [conversation.active, conversation.background].find(each => each?.stored.run.run === run)?.cancel?.by,
    get backgroundTasks() {
      return memory.background.ids.length
    },
    backgroundLost(time) {
      const { ids, descriptions } = memory.background
      memory.background = noBackgroundTasks
      if (ids.length === 0) return
      const tasks = ids.slice(0, limits.maxLostTasks).map(id => {
        const description = descriptions[id]
        return { id, ...(description !== undefined && { description }) }
      })
      recorder.event({ type: 'background_lost', tasks, more: ids.length - tasks.length }, null, time)
    },
    get wasGivenRules() {
      return memory.wasGivenRules
    },

    get counterUsd() {
      return translator.counterUsd
    },
    get lastLineAt() {
      return memory.lastLineAt
    },
    get activity() {
      const startedAt = current()?.stored.run.startedAt
      const { lastLineAt } = memory
      if (startedAt === undefined || startedAt === null) return undefined
      if (lastLineAt === undefined || lastLineAt < startedAt) return { at: startedAt, what: 'run_started' }
      return { at: lastLineAt, what: lastHeard.what }
    },

    processStarted(process) {
      const { claudeSessionId } = conversation.record
      const { costUsdBefore: costUsd, counterUsdBefore: counterUsd } = process
      translator = createTranslator({ claudeSessionId, costUsd, counterUsd, resumed: process.resumed })
      // A fork has a transcript of its own to be written.
      memory = newProcess(process.resumed, process.claudeSessionIdBefore !== null)
      holdsOutcome = process.oneShot
      questions.forget()
      lastHeard.reset()
    },

    failure(status, stderrTail) {
      const { apiError, rateLimit } = translator
      const { spoke: sawOutput, resumed } = memory
      return classifyExit({ status, sawOutput, resumed, stderrTail, apiError, rateLimit })
    },

    line(line, process) {
      const source: Source = { process, offset: line.offset }
      if ('damaged' in line) {
        memory.spoke = true
        recorder.event({ type: 'log_damaged', log: 'raw', ...line.damaged }, idOf(current()), line.time, source)
        return
      }
      memory.lastLineAt = line.time
      if ('unparsed' in line) {
        memory.spoke = true
        recorder.event({ type: 'unparsed', ...line.unparsed }, idOf(current()), line.time, source)
        return
      }
      const decoded = decode(line.frame, line.time)
      if (!decoded) {
        memory.spoke = true
        recorder.event(
          { type: 'unparsed', ...notDecodable(lengthOf(line.frame)).unparsed },
          idOf(current()),
          line.time,
          source,
        )
        return
      }
      const { turn, control, tasks, cause, events } = decoded
      passThrowPoint('handled', shapeOf(line.frame)?.['type'])
      const { active } = conversation
      const arrived = readPromptUuid(line.frame)
      if (active && arrived !== undefined && arrived === active.stored.promptUuid) active.hasArrived = true
      if (turn) place(turn, line.time)
      if (turn?.at === 'started') turnStarted(turn, line.time, source)
      if (control) controlled(control, line.time, source)
      memory.background = tasks
      memory.cause = cause ?? memory.cause
      const ending = turn?.at === 'ended' ? runsOf(turn) : []
      const run = turn?.at === 'ended' ? (ending[0] ?? null) : current()
      for (const body of events) {
        memory.spoke = true
        lastHeard.heard(body)
        if (toolBoundaries.has(body.type)) conversation.hooks.toolBoundary?.()
        if (body.type === 'done' || body.type === 'failed') turnEnded(body, ending, line, source)
        else {
          observe(body, run)
          recorder.event(body, idOf(run), line.time, source)
        }
      }
      promptEnded(line, source)
    },

    forgetTurn: () => translator.reset(),

    isUnkept: endedAt => !memory.kept && memory.begunAt !== undefined && endedAt - memory.begunAt < keptAfterMs,

    begin(run, time) {
      if (!advance(run, 'started', time)) return
      conversation.active = run
      conversation.record = used(conversation.record, time)
      const { prompt, origin } = run.stored.run
      recorder.event({ type: 'run_started', prompt, origin }, idOf(run), time)
      recorder.run(run.stored)
    },

    end(run, input, time, facts = {}, source) {
      if (!advance(run, input, time)) return
      // Cancelled or ended: an answer would come too late.
      questions.withdraw(run.stored.run.run, run.cancel?.by, time, source)
      const { state } = run.stored.run
      if (!isEnded(state)) {
        recorder.run(run.stored)
        return
      }
      const ended = endOf(run, input, facts.unsent ?? false)
      // Whatever else was told of its end, it would have gone on without the limit.
      const limited = run.exceeded && input !== 'refused' && { failure: limitFailure(run.exceeded) }
      const event = terminalEvent(run, state, { ...facts, ...limited, said: said(run), ended })
      run.stored = sealRun(run, event, recorder.event(event, idOf(run), time, source))
      recorder.run(run.stored)
      if (conversation.active === run) conversation.active = null
      if (conversation.background === run) conversation.background = null
      memory.requests.clear()
      conversation.record = used(conversation.record, time)
      conversation.hooks.runEnded(run)
    },

    releaseHeld(time, forcedExit, source) {
      const run = conversation.active
      if (!run?.held) return
      const outcome = run.held
      delete run.held
      const forced = forcedExit && outcome.type === 'done' ? { ...outcome, forcedExit } : outcome
      conversation.end(run, outcome.type === 'done' ? 'turn_done' : 'turn_failed', time, { outcome: forced }, source)
    },

    get requests() {
      return [...memory.requests.values()]
    },

    memory: () => ({
      process: memory,
      translator: translator.state,
      lastHeard: lastHeard.state,
      questions: questions.state,
      active: conversation.active,
      background: conversation.background,
    }),

    remember(remembered) {
      memory = remembered.process
      translator = resumeTranslator(remembered.translator)
      lastHeard.state = remembered.lastHeard
      questions.state = remembered.questions
      conversation.active = remembered.active
      conversation.background = remembered.background
    },
  }
  return conversation

  /** All that is read of a frame, before anything is done with it; undefined where that fails. */
  function decode(frame: unknown, time: number) {
    try {
      passThrowPoint('translated', shapeOf(frame)?.['type'])
      const [turn, control] = [readTurn(frame), readControl(frame)]
      const [tasks, cause] = [followBackgroundTasks(memory.background, frame), readCause(frame)]
      return { turn, control, tasks, cause, events: translator.frame(frame, time) }
    } catch {
      return undefined
    }
  }

  function controlled(control: Control, time: number, source: Source) {
    const asked = control.kind === 'response' && control.ok ? control.pending : [control]
    for (const each of asked) {
      const request = readPermissionRequest(each)
      if (!request) continue
      // What goes on in the background outlives the turn it was begun in.
      const isOwn =
        request.task !== undefined && memory.background.listed && memory.background.ids.includes(request.task)
      const about = {
        session: conversation.record.session,
        run: isOwn ? null : idOf(current()),
        parent: request.task === undefined ? undefined : translator.callOf(request.task),
        expiresAfterMs: conversation.record.approvals?.expiresAfterMs,
      }
      questions.asked(request, about, time, source)
    }
    if (control.kind === 'cancel') questions.takenBack(control.requestId, conversation.cancellerOf, time, source)
    if (readPermissionRequest(control)) return
    if (control.kind === 'response' && control.requestId.startsWith(rulesRequest)) memory.wasGivenRules = true
    if (control.kind === 'request') {
      // Of its content nothing is needed to refuse it again.
      memory.requests.set(control.requestId, { ...control, request: {} })
      keepNewest(memory.requests)
    }
    if (control.kind === 'cancel') memory.requests.delete(control.requestId)
    conversation.hooks.control(control)
  }

  function place(turn: Turn, time: number) {
    if (turn.at === 'ended') memory.kept = true
    else memory.begunAt ??= time
  }

  function turnStarted(turn: Turn, time: number, source: Source) {
    if (turn.promptUuids.length > 0) memory.namesPrompts = true
    const { active } = conversation
    if (active?.stored.promptUuid && turn.promptUuids.includes(active.stored.promptUuid)) active.hasTurn = true
    const own =
      turn.background !== null || (turn.promptUuids.length === 0 && (memory.namesPrompts || !conversation.active))
    if (!own && conversation.active) conversation.active.hasBegun = true
    if (!own || conversation.background) return
    conversation.releaseHeld(time, false, source)
    const origin = { background: turn.background ?? { kind: memory.cause ?? 'unknown' } }
    const run = createBackgroundRun(conversation.record.session, origin, recorder.head + 1, source)
    advance(run, 'started', time)
    conversation.background = run
    recorder.event({ type: 'run_started', prompt: '', origin }, idOf(run), time, source)
    recorder.run(run.stored)
    conversation.record = { ...used(conversation.record, time), lastRun: run.stored.run.run }
  }

  /**
   * Whose turn a result ends: the named prompt's; Claude Code's own; else the one that goes on. Both, when the prompt
   * came while a turn of its own went on: Claude Code lets it join that turn.
   */
  function runsOf(turn: Turn): ActiveRun[] {
    const { active, background } = conversation
    const uuid = active?.stored.promptUuid
    const named = uuid && turn.promptUuids.includes(uuid) ? [active] : []
    if (turn.background || turn.promptUuids.length > 0) return [...(background ? [background] : []), ...named]
    // Where prompts are named, a result without a name is not the result of a prompt whose turn has not begun.
    const whose = background ?? (memory.namesPrompts && !active?.hasTurn ? null : active)
    return whose ? [whose] : []
  }

  /**
   * Claude Code has ended the prompt of the run, and no result of it was seen: a program glued other text to it, perhaps.
   * Background work and an outcome that is held come first: for those the result may follow.
   */
  function promptEnded(line: OutputLine & { frame: unknown }, source: Source) {
    const end = readPromptEnd(line.frame)
    const run = conversation.active
    if (!end || !run || run.held || run.stored.promptUuid !== end.uuid) return
    if (conversation.background || memory.background.ids.length > 0) return
    const whole = translator.outcome()
    const durationMs = Math.max(0, line.time - (run.stored.run.startedAt ?? line.time))
    const outcome: Outcome = end.completed
      ? { type: 'done', ...whole, numTurns: 0, durationMs }
      : { type: 'failed', failure: endedWithoutResult, ...whole }
    conversation.end(run, end.completed ? 'turn_done' : 'turn_failed', line.time, { outcome }, source)
  }

  function turnEnded(outcome: Outcome, runs: ActiveRun[], line: OutputLine & { frame: unknown }, source: Source) {
    if (runs.length === 0 || runs.some(run => run.held)) {
      // A result that ends nothing: the CLI printed two, or its run has ended by other means.
      recorder.event({ type: 'notice', kind: 'result', frame: line.frame }, idOf(runs[0] ?? null), line.time, source)
      return
    }
    for (const run of runs) runEndedBy(outcome, run, line.time, source)
  }

  function runEndedBy(outcome: Outcome, run: ActiveRun, time: number, source: Source) {
    const nothingElse =
      run === conversation.active && run.stored.run.state === 'running' && memory.background.ids.length === 0
    if (holdsOutcome && nothingElse) {
      run.held = outcome
      conversation.hooks.outcomeHeld()
      return
    }
    conversation.end(run, outcome.type === 'done' ? 'turn_done' : 'turn_failed', time, { outcome }, source)
  }

  /** What the session's and the run's records take from an event. */
  function observe(body: EventBody, run: ActiveRun | null) {
    if (body.type === 'claude_session_changed') note({ claudeSessionId: body.to })
    if (body.type === 'session_init') {
      const { claudeSessionId, model, permissionMode } = body
      note({ claudeSessionId, ...(model !== undefined && { model }) })
      if (permissionMode !== undefined) note({ permissionMode })
    }
    if (body.type === 'system_message' && body.model !== undefined) note({ model: body.model })
    if (body.type === 'status' && body.permissionMode !== undefined) note({ permissionMode: body.permissionMode })
    if (body.type === 'cost') {
      conversation.record = { ...conversation.record, costUsd: body.costUsd }
      // More than one where a second result came while the first was kept back.
      if (run)
        Object.assign(run, { costUsd: run.costUsd + body.runCostUsd, tokens: sumOfTokens(run.tokens, body.tokens) })
    }
  }

  /** The record stays the same object as long as it says the same: a change of it is published. */
  function note(heard: Pick<Partial<Session>, 'claudeSessionId' | 'model' | 'permissionMode'>) {
    const before = conversation.record
    const news = Object.entries(heard).some(([name, value]) => before[name as keyof typeof heard] !== value)
    if (news) conversation.record = { ...before, ...heard }
  }

  function said(run: ActiveRun): Said {
    return run === current() ? translator.outcome() : { response: '', transcript: [] }
  }
}
