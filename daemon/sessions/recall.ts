import type { OutputLine } from '../agents/agent.ts'
import type { Log } from '../log/log.ts'
import type { Store, StoredApproval, StoredProcess, StoredRun } from '../store/store.ts'
import { resumeRun } from './active-run.ts'
import type { Conversation } from './conversation.ts'
import { printedBytes, printedLines, storedEvents } from './history.ts'
import type { Recorder } from './recorder.ts'
import { type Differences, replay } from './replay.ts'
import { rememberedOf, type Reread } from './snapshots.ts'

export interface RecallContext {
  conversation: Conversation
  recorder: Recorder
  store: Pick<Store, 'events' | 'runs' | 'snapshots'>
  /** Which program this is. */
  build: string
  /** Directory of the raw logs. */
  processesDir: string
  log: Log
}

/**
 * Brings a session's conversation to where it was when its process printed the last of what is in the log: to the last
 * snapshot, and from there on by going through it again. What no longer gives the events that are stored is told, in
 * the log of the daemon and in that of the session. Answers how much it has gone through.
 */
export function recall(context: RecallContext, process: StoredProcess): Reread {
  const { conversation, recorder, store, processesDir, build } = context
  const { record, hooks } = conversation
  const { claudeSessionIdBefore: conversationId, costUsdBefore: costUsd } = process
  const stored = rememberedOf(store.snapshots, process, { build, head: recorder.head })
  // Where something of the raw log is gone it is gone through from its beginning, to find what.
  const remembered = stored && printedBytes(processesDir, process) >= process.offset ? stored : undefined
  conversation.record = { ...record, conversationId, costUsd }
  // What was asked for then was done then.
  conversation.hooks = { reply: () => {}, answered: () => {}, runEnded: () => {}, outcomeHeld: () => {} }
  conversation.processStarted(process)
  if (remembered) conversation.remember(remembered.memory)
  let lineCount = 0
  function* counted(lines: Iterable<OutputLine>) {
    for (const line of lines) {
      lineCount++
      yield line
    }
  }
  let differences: Differences | undefined
  try {
    differences = replay({
      conversation,
      recorder,
      process,
      rows: storedEvents(store, record.session, remembered ? remembered.seq + 1 : process.firstSeq),
      lines: counted(printedLines(processesDir, process, remembered?.offset ?? 0)),
      runOf: run => store.runs.get(run),
      isComparable: process.translator === build,
    })
  } finally {
    Object.assign(conversation, { record, hooks })
  }
  if (differences) tell(differences, context, process)
  return { lines: lineCount, bytes: process.offset - (remembered?.offset ?? 0) }
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
