import type { Control } from '../claude/turn.ts'
import type { Log } from '../log.ts'
import type { Store, StoredApproval, StoredProcess, StoredRun } from '../store/store.ts'
import { resumeRun } from './active-run.ts'
import type { Conversation } from './conversation.ts'
import { printedLines, storedEvents } from './history.ts'
import type { Recorder } from './recorder.ts'
import { type Differences, replay } from './replay.ts'

export interface RecallContext {
  conversation: Conversation
  recorder: Recorder
  store: Pick<Store, 'events' | 'runs'>
  /** Directory of the raw logs. */
  processesDir: string
  log: Log
}

/**
 * Brings a session's conversation to where it was when its process printed the last of what is in the log. Answers the
 * questions of Claude Code that were open then and are no approvals. What no longer gives the events that are stored is told, in the log of
 * the daemon and in that of the session.
 */
export function recall(context: RecallContext, process: StoredProcess): Control[] {
  const { conversation, recorder, store, processesDir } = context
  const { record, hooks } = conversation
  const questions = new Map<string, Control>()
  const { claudeSessionIdBefore: claudeSessionId, costUsdBefore: costUsd } = process
  conversation.record = { ...record, claudeSessionId, costUsd }
  // What was asked for then was done then; but an answer may not have been sent.
  conversation.hooks = {
    control(control) {
      if (control.kind === 'request') questions.set(control.requestId, control)
      if (control.kind === 'cancel') questions.delete(control.requestId)
    },
    runEnded: () => questions.clear(),
    outcomeHeld: () => {},
  }
  conversation.processStarted(process)
  const differences = replay({
    conversation,
    recorder,
    process,
    rows: storedEvents(store, record.session, process.firstSeq),
    lines: printedLines(processesDir, process),
    runOf: run => store.runs.get(run),
  })
  Object.assign(conversation, { record, hooks })
  if (differences) tell(differences, context, process)
  return [...questions.values()]
}

/** The runs under way and the open questions are those that are stored as such, whatever became of the raw log. */
export function believe(
  conversation: Conversation,
  unfinished: readonly StoredRun[],
  asked: readonly StoredApproval[],
): void {
  conversation.questions.believe(asked)
  const recalled = [conversation.active, conversation.background]
  conversation.active = null
  conversation.background = null
  for (const each of unfinished) {
    if (each.run.state === 'queued') continue
    const run = recalled.find(known => known?.stored.run.run === each.run.run) ?? resumeRun(each)
    run.stored = each
    if (each.promptUuid === null) conversation.background = run
    else conversation.active = run
  }
}

function tell({ events, firstSeq, damaged }: Differences, { recorder, log }: RecallContext, process: StoredProcess) {
  const about = { session: process.session, process: process.id, events, firstSeq, damaged }
  log.error('what a process printed does not give the events that are stored', about)
  const bytes = damaged.reduce((sum, each) => sum + each.bytes, 0)
  const detail =
    damaged.length > 0
      ? damaged.map(each => each.detail).join('; ')
      : `what the process printed does not give ${events} of the stored events any more, from ${firstSeq} on`
  recorder.event({ type: 'log_damaged', log: 'raw', bytes, detail }, null, Date.now())
}
