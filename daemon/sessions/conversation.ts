import type { Activity, Actor, Approval, EventBody, Failure, Session } from '../../protocol/index.ts'
import { limits } from '../../protocol/limits.ts'
import type {
  Agent,
  Answer,
  BackgroundTask,
  Decoded,
  Decoder,
  Outcome,
  OutputLine,
  Reply,
  Said,
  Signal,
  Turn,
} from '../agents/agent.ts'
import { passThrowPoint } from '../hook-points.ts'
import { keepNewest } from '../keep-newest.ts'
import { sumOfTokens } from '../usage/tokens.ts'
import { type ActiveRun, advance, createBackgroundRun, sealRun, terminalEvent } from './active-run.ts'
import { endOf } from './asked-end.ts'
import { createLastHeard, type LastHeardState } from './last-heard.ts'
import { used } from './last-use.ts'
import { limitFailure } from './own-failures.ts'
import { createQuestions, type Questions, type QuestionsState } from './questions.ts'
import type { Recorder, Source } from './recorder.ts'
import type { StoredProcess } from '../store/store.ts'
import { isEnded, type RunInput } from './run-state.ts'
import { rulesRequest } from './requests.ts'

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
  /** Replies to requests of this turn. After a crash their delivery is unknown. */
  readonly replies: readonly Reply[]
  /** All that is remembered of the process, as it is now: to be copied at once. */
  memory(): ConversationMemory
  /** Goes on from what was remembered of the same process. */
  remember(memory: ConversationMemory): void
}

/** Plain data, whose parts refer to each other. */
export interface ConversationMemory {
  process: ProcessMemory
  decoder: Decoder
  lastHeard: LastHeardState
  questions: QuestionsState
  active: ActiveRun | null
  background: ActiveRun | null
}

/** What of a process neither its decoder nor the runs know. */
interface ProcessMemory {
  resumed: boolean
  /** It has said something beside answering to us. */
  spoke: boolean
  tasks: readonly BackgroundTask[]
  cause: string | undefined
  begunAt: number | undefined
  lastLineAt: number | undefined
  /** Claude Code has this conversation on disk. */
  kept: boolean
  /** Claude Code names the prompts of a turn since 2.1; where it does, a turn without any is its own. */
  namesPrompts: boolean
  wasGivenRules: boolean
  replies: Map<string, Reply>
}

const newProcess = (resumed: boolean, kept: boolean): ProcessMemory => ({
  resumed,
  spoke: false,
  tasks: [],
  cause: undefined,
  begunAt: undefined,
  lastLineAt: undefined,
  kept,
  namesPrompts: false,
  wasGivenRules: false,
  replies: new Map(),
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
  /** The agent awaits this line. */
  reply(reply: Reply): void
  /** The agent has answered a request of the session's. */
  answered(answer: Answer): void
  runEnded(run: ActiveRun): void
  /** An outcome is kept back now. */
  outcomeHeld(): void
  /** A tool begins, goes on or has ended: it may have started processes. */
  toolBoundary?(): void
}

const toolBoundaries: ReadonlySet<EventBody['type']> = new Set(['tool_use', 'tool_progress', 'tool_result'])

// The first lines are on disk about 100 ms after the first turn's start; the rest is for busy machines.
const keptAfterMs = 2_000

export function createConversation(
  record: Session,
  recorder: Recorder,
  hooks: ConversationHooks,
  agent: Agent,
): Conversation {
  let decoder = agent.begin({ claudeSessionId: null, costUsd: 0, counterUsd: 0, resumed: false })
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
      return memory.tasks.length
    },
    backgroundLost(time) {
      const { tasks } = memory
      memory.tasks = []
      if (tasks.length === 0) return
      const named = tasks.slice(0, limits.maxLostTasks)
      recorder.event({ type: 'background_lost', tasks: named, more: tasks.length - named.length }, null, time)
    },
    get wasGivenRules() {
      return memory.wasGivenRules
    },

    get counterUsd() {
      return agent.counterUsd(decoder)
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
      const { conversationId: claudeSessionId } = conversation.record
      const { costUsdBefore: costUsd, counterUsdBefore: counterUsd } = process
      decoder = agent.begin({ claudeSessionId, costUsd, counterUsd, resumed: process.resumed })
      // A fork has a transcript of its own to be written.
      memory = newProcess(process.resumed, process.claudeSessionIdBefore !== null)
      holdsOutcome = process.oneShot
      questions.forget()
      lastHeard.reset()
    },

    failure(status, stderrTail) {
      const { spoke: sawOutput, resumed } = memory
      return agent.exitFailure(decoder, { status, sawOutput, resumed, stderrTail })
    },

    line(line, process) {
      const source: Source = { process, offset: line.offset }
      if ('damaged' in line) {
        memory.spoke = true
        recorder.event({ type: 'log_damaged', log: 'raw', ...line.damaged }, idOf(current()), line.time, source)
        return
      }
      memory.lastLineAt = line.time
      const decoded = 'unparsed' in line ? line : agent.decode(decoder, line.frame, line.time)
      if ('unparsed' in decoded) {
        memory.spoke = true
        recorder.event({ type: 'unparsed', ...decoded.unparsed }, idOf(current()), line.time, source)
        return
      }
      if ('frame' in line) passThrowPoint('handled', line.frame['type'])
      apply(decoded, line.time, source)
    },

    forgetTurn: () => agent.forgetTurn(decoder),

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
      memory.replies.clear()
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

    get replies() {
      return [...memory.replies.values()]
    },

    memory: () => ({
      process: memory,
      decoder,
      lastHeard: lastHeard.state,
      questions: questions.state,
      active: conversation.active,
      background: conversation.background,
    }),

    remember(remembered) {
      memory = remembered.process
      decoder = remembered.decoder
      lastHeard.state = remembered.lastHeard
      questions.state = remembered.questions
      conversation.active = remembered.active
      conversation.background = remembered.background
    },
  }
  return conversation

  function apply({ turn, signals, events, outcome, spare, promptEnd }: Decoded, time: number, source: Source) {
    if (turn) place(turn, time)
    if (turn?.at === 'started') turnStarted(turn, time, source)
    for (const signal of signals) signalled(signal, time, source)
    const ending = turn?.at === 'ended' ? runsOf(turn) : []
    const run = turn?.at === 'ended' ? (ending[0] ?? null) : current()
    for (const body of events) {
      hear(body)
      observe(body, run)
      recorder.event(body, idOf(run), time, source)
    }
    if (outcome) {
      hear(outcome)
      turnEnded(outcome, spare, ending, time, source)
    }
    if (promptEnd) promptEnded(promptEnd, time, source)
  }

  function hear(body: EventBody) {
    memory.spoke = true
    lastHeard.heard(body)
    if (toolBoundaries.has(body.type)) conversation.hooks.toolBoundary?.()
  }

  function signalled(signal: Signal, time: number, source: Source) {
    switch (signal.signal) {
      case 'asked': {
        const { question } = signal
        // What goes on in the background outlives the turn it was begun in.
        const run = question.inBackground ? null : idOf(current())
        const { session, approvals } = conversation.record
        questions.asked(question, { session, run, expiresAfterMs: approvals?.expiresAfterMs }, time, source)
        return
      }
      case 'withdrawn':
        questions.takenBack(signal.requestId, conversation.cancellerOf, time, source)
        memory.replies.delete(signal.requestId)
        return
      case 'reply':
        memory.replies.set(signal.requestId, signal)
        keepNewest(memory.replies)
        conversation.hooks.reply(signal)
        return
      case 'answered':
        if (signal.requestId.startsWith(rulesRequest)) memory.wasGivenRules = true
        conversation.hooks.answered(signal)
        return
      case 'background':
        memory.tasks = signal.tasks
        return
      case 'cause':
        memory.cause = signal.kind
        return
      case 'arrived':
        if (conversation.active?.stored.promptUuid === signal.prompt) conversation.active.hasArrived = true
    }
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
  function promptEnded(end: NonNullable<Decoded['promptEnd']>, time: number, source: Source) {
    const run = conversation.active
    if (!run || run.held || run.stored.promptUuid !== end.prompt) return
    if (conversation.background || memory.tasks.length > 0) return
    const whole = agent.said(decoder)
    const durationMs = Math.max(0, time - (run.stored.run.startedAt ?? time))
    const outcome: Outcome = end.completed
      ? { type: 'done', ...whole, numTurns: 0, durationMs }
      : { type: 'failed', failure: agent.endedWithoutResult, ...whole }
    conversation.end(run, end.completed ? 'turn_done' : 'turn_failed', time, { outcome }, source)
  }

  function turnEnded(outcome: Outcome, spare: EventBody | undefined, runs: ActiveRun[], time: number, source: Source) {
    if (runs.length === 0 || runs.some(run => run.held)) {
      // An outcome that ends nothing: the agent printed two, or its run has ended by other means.
      if (spare) recorder.event(spare, idOf(runs[0] ?? null), time, source)
      return
    }
    for (const run of runs) runEndedBy(outcome, run, time, source)
  }

  function runEndedBy(outcome: Outcome, run: ActiveRun, time: number, source: Source) {
    const nothingElse = run === conversation.active && run.stored.run.state === 'running' && memory.tasks.length === 0
    if (holdsOutcome && nothingElse) {
      run.held = outcome
      conversation.hooks.outcomeHeld()
      return
    }
    conversation.end(run, outcome.type === 'done' ? 'turn_done' : 'turn_failed', time, { outcome }, source)
  }

  /** What the session's and the run's records take from an event. */
  function observe(body: EventBody, run: ActiveRun | null) {
    if (body.type === 'claude_session_changed') note({ conversationId: body.to })
    if (body.type === 'session_init') {
      const { claudeSessionId: conversationId, model, permissionMode } = body
      note({ conversationId, ...(model !== undefined && { model }) })
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
  function note(heard: Pick<Partial<Session>, 'conversationId' | 'model' | 'permissionMode'>) {
    const before = conversation.record
    const news = Object.entries(heard).some(([name, value]) => before[name as keyof typeof heard] !== value)
    if (news) conversation.record = { ...before, ...heard }
  }

  function said(run: ActiveRun): Said {
    return run === current() ? agent.said(decoder) : { response: '', transcript: [] }
  }
}
