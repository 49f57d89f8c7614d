import { existsSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import type { Session } from '../../protocol/index.ts'
import { stderrTailBytes, temporaryDirectory } from '../claude/claude-process.ts'
import { createOutputReader, type OutputLine } from '../claude/output.ts'
import { processFiles } from '../holder/process-files.ts'
import { openRawLog } from '../holder/raw-log.ts'
import type { Log } from '../log.ts'
import type { Journal } from '../store/journal.ts'
import type { Store, StoredProcess, StoredRun } from '../store/store.ts'
import { resumeRun } from './active-run.ts'
import { createConversation } from './conversation.ts'
import { createRecorder } from './recorder.ts'

export interface RecoverContext {
  store: Store
  journal: Journal
  processesDir: string
  log: Log
}

/**
 * Brings the log to where the processes of a daemon that died had got: their raw logs hold more than was translated.
 * Each is read again from its beginning, so that the translator is where it was; what lies behind the checkpoint is
 * written now. Runs that did not come to their end by that are `interrupted`. Called once at the start, before anything
 * runs; returns the queued runs, which go on waiting. (What the processes left behind, the new holder ends.)
 */
export async function recover(context: RecoverContext): Promise<StoredRun[]> {
  const { store, journal, log, processesDir } = context
  for (const process of store.processes.live()) {
    if (process.offset > 0 || existsSync(processFiles(processesDir, process.id).raw)) readOn(context, process)
    else markEnded(context, process)
    await rm(temporaryDirectory(processesDir, process.id), { recursive: true, force: true })
    log.info('a process of an earlier daemon was brought to its end', { process: process.id, session: process.session })
  }
  await removeStrangers(context)
  // A run that was started but had no process yet has nothing to be read.
  for (const run of store.runs.unfinished()) if (run.run.state !== 'queued') interrupt(context, run)
  await journal.settled()
  return store.runs.unfinished()
}

/** Temporary files of processes that the database does not know: a power cut has taken their records back. */
async function removeStrangers({ store, processesDir }: RecoverContext): Promise<void> {
  for (const name of await readdir(processesDir)) {
    const id = name.replace(/\.tmp$/, '')
    if (id === name || store.processes.get(id)) continue
    await rm(temporaryDirectory(processesDir, id), { recursive: true, force: true })
  }
}

function readOn(context: RecoverContext, process: StoredProcess) {
  const { store, processesDir } = context
  const session = store.sessions.get(process.session)
  if (!session) return
  const { recorder, conversation } = takeUp(context, { ...session, costUsd: process.costUsdBefore })
  for (const run of store.runs.unfinished()) {
    if (run.run.session !== process.session || run.run.state === 'queued') continue
    if (run.promptUuid === null) conversation.background = resumeRun(run)
    else conversation.active = resumeRun(run)
  }
  conversation.processStarted(process)

  const rawLog = openRawLog(processesDir, process.id, process.offset)
  const reader = createOutputReader(rawLog, process.nonce)
  let offset = process.offset
  let status: number | null | undefined
  const takeLine = (line: OutputLine) => {
    if (line.offset > process.offset) conversation.line(line, process.id)
    // What was translated once is in the log; but the translator has not heard it now, and this is where it goes on.
    else if ('damaged' in line) conversation.line({ ...line, offset: process.offset }, process.id)
    else conversation.replay(line)
  }
  for (let output = reader.read(); output; output = reader.read()) {
    for (const line of output.lines) takeLine(line)
    offset = Math.max(offset, output.offset)
    status = output.exit?.status
  }
  for (const line of reader.rest()) takeLine(line)

  const endedAt = Date.now()
  const stderrTail = rawLog.stderrTail(stderrTailBytes)
  rawLog.close()
  for (const run of [conversation.background, conversation.active]) {
    if (!run) continue
    if (status === undefined || status === null) conversation.end(run, 'lost', endedAt, { lost: daemonDied })
    else {
      const failure = conversation.failure(status, stderrTail)
      conversation.end(run, 'process_ended', endedAt, { failure })
    }
  }
  recorder.checkpoint(process.id, offset)
  recorder.process({ ...process, offset, counterUsd: conversation.counterUsd, endedAt })
  recorder.session({ ...conversation.record, updatedAt: endedAt, head: recorder.head })
  recorder.commit()
  context.journal.flush()
}

function interrupt(context: RecoverContext, stored: StoredRun) {
  const session = context.store.sessions.get(stored.run.session)
  if (!session) return
  const { recorder, conversation } = takeUp(context, session)
  conversation.end(resumeRun(stored), 'lost', Date.now(), { lost: daemonDied })
  recorder.session({ ...conversation.record, head: recorder.head })
  recorder.commit()
  context.journal.flush()
}

/** The daemon died between storing a process and starting it. */
function markEnded(context: RecoverContext, process: StoredProcess) {
  const session = context.store.sessions.get(process.session)
  if (!session) return
  const { recorder } = takeUp(context, session)
  recorder.process({ ...process, endedAt: Date.now() })
  recorder.commit()
}

/** A session's writing half, with nobody to act on what it finds. */
function takeUp({ store, journal }: RecoverContext, session: Session) {
  const recorder = createRecorder({
    session: session.session,
    head: store.events.bounds(session.session).head,
    journal,
    onPublished: () => {},
    onFailed(error) {
      throw error
    },
  })
  const idle: Session = { ...session, process: null, state: 'idle' }
  const hooks = { control: () => {}, runEnded: () => {}, outcomeHeld: () => {} }
  return { recorder, conversation: createConversation(idle, recorder, hooks) }
}

const daemonDied = 'the daemon died while it ran'
