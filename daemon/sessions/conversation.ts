import type { EventBody, Failure, Session } from '../../protocol/index.ts'
import type { OutputLine } from '../claude/output.ts'
import { classifyExit } from '../claude/failure.ts'
import { createTranslator, type Translator } from '../claude/translate/index.ts'
import { type Control, readBackgroundTasks, readCause, readControl, readTurn, type Turn } from '../claude/turn.ts'
import { type ActiveRun, advance, createRun, type Outcome, type Said, sealRun, terminalEvent } from './active-run.ts'
import type { Recorder, Source } from './recorder.ts'
import type { StoredProcess } from '../store/store.ts'
import { isEnded, type RunInput } from './run-state.ts'

/**
 * The half of a session that writes: it turns what Claude Code prints and what is done to runs into the session's log.
 * It starts, signals and times nothing; `session.ts` does, and listens to the hooks. That is why output read again
 * after a crash goes through the very same code.
 */
export interface Conversation {
  record: Session
  /** The run whose prompt Claude Code has or gets; at most one. */
  active: ActiveRun | null
  /** The turn that Claude Code began by itself and that goes on now. */
  background: ActiveRun | null
  /** Tasks that go on in the background of the process, as Claude Code counts them. */
  readonly backgroundTasks: number
  /** Keeps an outcome back until `releaseHeld`, for a process that ends with its run. */
  holdOutcome: boolean
  /** A process begins to print: nothing of the one before is in flight any more. */
  processStarted(process: StoredProcess): void
  /** Why the process ended without a result, from all that is known of it. */
  failure(status: number | null, stderrTail: string): Failure
  /** Claude Code's own cost counter, for the next process of the session. */
  readonly counterUsd: number
  line(line: OutputLine, process: string): void
  /** A line that is in the log already: only brings the state up to where it was. */
  replay(line: OutputLine): void
  /** A queued run becomes the active one. */
  begin(run: ActiveRun, time: number): void
  /** Ends a run where `input` leads to an end. */
  end(run: ActiveRun, input: RunInput, time: number, facts?: EndFacts, source?: Source): void
  /** Ends the run whose outcome was kept back. */
  releaseHeld(time: number, forcedExit: boolean): void
}

export interface EndFacts {
  outcome?: Outcome
  failure?: Failure
  /** Why it is `interrupted`. */
  lost?: string
}

export interface ConversationHooks {
  control(control: Control): void
  runEnded(run: ActiveRun): void
  /** An outcome is kept back now. */
  outcomeHeld(): void
}

export function createConversation(record: Session, recorder: Recorder, hooks: ConversationHooks): Conversation {
  let translator: Translator = createTranslator()
  let resumed = false
  // It has said something beside answering to us.
  let spoke = false
  let backgroundTasks = 0
  let cause: string | undefined
  // Claude Code names the prompts of a turn since 2.1; where it does, a turn without any is its own.
  let namesPrompts = false

  const current = () => conversation.background ?? conversation.active
  const idOf = (run: ActiveRun | null) => run?.stored.run.run ?? null

  const conversation: Conversation = {
    record,
    active: null,
    background: null,
    holdOutcome: false,
    get backgroundTasks() {
      return backgroundTasks
    },

    get counterUsd() {
      return translator.counterUsd
    },

    processStarted(process) {
      const { claudeSessionId } = conversation.record
      const { costUsdBefore: costUsd, counterUsdBefore: counterUsd } = process
      translator = createTranslator({ claudeSessionId, costUsd, counterUsd, resumed: process.resumed })
      resumed = process.resumed
      spoke = false
      backgroundTasks = 0
      namesPrompts = false
    },

    failure(status, stderrTail) {
      const { apiError } = translator
      return classifyExit({ status, sawOutput: spoke, resumed, stderrTail, apiError })
    },

    line(line, process) {
      const source: Source = { process, offset: line.offset }
      if ('unparsed' in line) {
        spoke = true
        recorder.event({ type: 'unparsed', ...line.unparsed }, idOf(current()), line.time, source)
        return
      }
      const turn = readTurn(line.frame)
      if (turn?.at === 'started') turnStarted(turn, line.time, source)
      const control = readControl(line.frame)
      if (control) hooks.control(control)
      backgroundTasks = readBackgroundTasks(line.frame) ?? backgroundTasks
      cause = readCause(line.frame) ?? cause
      const run = turn?.at === 'ended' ? runOf(turn) : current()
      for (const body of translator.frame(line.frame, line.time)) {
        spoke = true
        if (body.type === 'done' || body.type === 'failed') turnEnded(body, run, line, source)
        else {
          observe(body, run)
          recorder.event(body, idOf(run), line.time, source)
        }
      }
    },

    replay(line) {
      if ('unparsed' in line) return
      const turn = readTurn(line.frame)
      if (turn && turn.promptUuids.length > 0) namesPrompts = true
      backgroundTasks = readBackgroundTasks(line.frame) ?? backgroundTasks
      cause = readCause(line.frame) ?? cause
      if (translator.frame(line.frame, line.time).length > 0) spoke = true
    },

    begin(run, time) {
      if (!advance(run, 'started', time)) return
      conversation.active = run
      const { prompt, origin } = run.stored.run
      recorder.event({ type: 'run_started', prompt, origin }, idOf(run), time)
      recorder.run(run.stored)
    },

    end(run, input, time, facts = {}, source) {
      if (!advance(run, input, time)) return
      const { state } = run.stored.run
      if (!isEnded(state)) {
        recorder.run(run.stored)
        return
      }
      const event = terminalEvent(run, state, { ...facts, said: said(run) })
      run.stored = sealRun(run, event, recorder.event(event, idOf(run), time, source))
      recorder.run(run.stored)
      if (conversation.active === run) conversation.active = null
      if (conversation.background === run) conversation.background = null
      hooks.runEnded(run)
    },

    releaseHeld(time, forcedExit) {
      const run = conversation.active
      if (!run?.held) return
      const outcome = run.held
      delete run.held
      const forced = forcedExit && outcome.type === 'done' ? { ...outcome, forcedExit } : outcome
      conversation.end(run, outcome.type === 'done' ? 'turn_done' : 'turn_failed', time, { outcome: forced })
    },
  }
  return conversation

  function turnStarted(turn: Turn, time: number, source: Source) {
    if (turn.promptUuids.length > 0) namesPrompts = true
    const own = turn.background !== null || (turn.promptUuids.length === 0 && (namesPrompts || !conversation.active))
    if (!own || conversation.background) return
    conversation.releaseHeld(time, false)
    const origin = { background: turn.background ?? { kind: cause ?? 'unknown' } }
    const run = createRun(conversation.record.session, '', origin, recorder.head + 1)
    advance(run, 'started', time)
    conversation.background = run
    recorder.event({ type: 'run_started', prompt: '', origin }, idOf(run), time, source)
    recorder.run(run.stored)
    conversation.record = { ...conversation.record, lastRun: run.stored.run.run }
  }

  /** Whose turn a result ends: the named prompt's; Claude Code's own; else the one that goes on. */
  function runOf(turn: Turn): ActiveRun | null {
    const { active, background } = conversation
    if (turn.background) return background
    if (turn.promptUuids.length === 0) return background ?? active
    const uuid = active?.stored.promptUuid
    return uuid && turn.promptUuids.includes(uuid) ? active : null
  }

  function turnEnded(outcome: Outcome, run: ActiveRun | null, line: OutputLine & { frame: unknown }, source: Source) {
    if (!run || run.held) {
      // A result that ends nothing: the CLI printed two, or its run has ended by other means.
      recorder.event({ type: 'notice', kind: 'result', frame: line.frame }, idOf(run), line.time, source)
      return
    }
    const nothingElse = run === conversation.active && run.stored.run.state === 'running' && backgroundTasks === 0
    if (conversation.holdOutcome && nothingElse) {
      run.held = outcome
      hooks.outcomeHeld()
      return
    }
    conversation.end(run, outcome.type === 'done' ? 'turn_done' : 'turn_failed', line.time, { outcome }, source)
  }

  /** What the session's and the run's records take from an event. */
  function observe(body: EventBody, run: ActiveRun | null) {
    if (body.type === 'session_init' || body.type === 'claude_session_changed') {
      const claudeSessionId = body.type === 'session_init' ? body.claudeSessionId : body.to
      conversation.record = { ...conversation.record, claudeSessionId }
    }
    if (body.type === 'cost') {
      conversation.record = { ...conversation.record, costUsd: body.costUsd }
      if (run) Object.assign(run, { costUsd: body.runCostUsd, tokens: body.tokens })
    }
  }

  function said(run: ActiveRun): Said {
    return run === current() ? translator.outcome() : { response: '', transcript: [] }
  }
}
