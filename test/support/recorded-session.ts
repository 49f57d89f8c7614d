import { deserialize } from 'node:v8'
import { claude } from '../../daemon/agents/claude/agent.ts'
import { decodeLine } from '../../daemon/agents/claude/frame.ts'
import type { OutputLine } from '../../daemon/agents/agent.ts'
import { createLineSplitter } from '../../daemon/pty-host/lines.ts'
import { resumeRun } from '../../daemon/sessions/active-run.ts'
import { askForEnd, pursue } from '../../daemon/sessions/asked-end.ts'
import { type Conversation, type ConversationMemory, createConversation } from '../../daemon/sessions/conversation.ts'
import { createRecorder, type Recorder } from '../../daemon/sessions/recorder.ts'
import { createSnapshots } from '../../daemon/sessions/snapshots.ts'
import type { StoredSnapshot } from '../../daemon/store/store.ts'
import { readRecording } from '../claude-output/support/replay.ts'
import { processOf, run as runRecord, session } from './records.ts'

/** A session whose process prints a recording. */

export const by = { client: 'c_1', name: 'test' }

/** Splits a recording into lines, as a reader of its raw log returns them. */
export function linesOf(recording: string): OutputLine[] {
  return createLineSplitter()
    .push(readRecording(recording))
    .flatMap(({ bytes, endOffset }) =>
      decodeLine(bytes).map(decoded => ({ ...decoded, offset: endOffset, time: endOffset })),
    )
}

interface WritingHalf {
  conversation: Conversation
  recorder: Recorder
}

/** Requests an interrupt of the active run, then records the escalation to `SIGINT`, in the middle of a recording. */
export function cancel({ conversation, recorder }: WritingHalf): void {
  const run = conversation.active
  if (!run || run.stored.run.state !== 'running') return
  recorder.event({ type: 'cancel_requested', by, mode: 'interrupt', reason: 'enough' }, run.stored.run.run, 5)
  askForEnd(run, { by, mode: 'interrupt', reason: 'enough' })
  conversation.end(run, 'cancel_requested', 5)
  recorder.event({ type: 'cancel_escalated', step: 'sigint' }, run.stored.run.run, 6)
  pursue(run, 'sigint')
  recorder.commit()
}

/** The events that a session logged, in order, and the snapshot that it took. */
export interface RecordedLog {
  texts: string[]
  snapshot?: StoredSnapshot
}

/**
 * Returns the log of a session that reads all lines. The session sends each prompt that the recording names, cancels
 * the run before the line `cancelAt`, and takes a snapshot after the line `snapshotAt`.
 */
export function logOf(lines: readonly OutputLine[], cancelAt: number, snapshotAt: number): RecordedLog {
  const log: RecordedLog = { texts: [] }
  const { conversation, recorder } = openSession(log, 0)
  conversation.begin(resumeRun(queuedRun('r_1', lines.flatMap(promptsIn)[0] ?? 'no name')), 2)
  for (const [index, line] of lines.entries()) {
    if (index === cancelAt) cancel({ conversation, recorder })
    read(conversation, line)
    if (index !== snapshotAt) continue
    createSnapshots({ conversation, recorder, build: 'this', process, linesBetween: 1 }).read(1, line.offset)
  }
  end({ conversation, recorder })
  return log
}

/** Returns the log after a snapshot, from a session that continues from it. */
export function logAfter({ seq, offset, memory }: StoredSnapshot, lines: readonly OutputLine[]): string[] {
  const log: RecordedLog = { texts: [] }
  const { conversation, recorder } = openSession(log, seq)
  conversation.remember(deserialize(memory) as ConversationMemory)
  for (const line of lines) if (line.offset > offset) read(conversation, line)
  end({ conversation, recorder })
  return log.texts
}

const process = processOf('s_1', 'p_1')

function openSession(log: RecordedLog, head: number): WritingHalf {
  const recorder = createRecorder({
    session: 's_1',
    head,
    journal: {
      append({ events, snapshot }) {
        for (const { text } of events) log.texts.push(text)
        if (snapshot) log.snapshot = snapshot
      },
    },
    onPublished() {},
    onFailed(error) {
      throw error
    },
  })
  const conversation = createConversation(
    session('s_1'),
    recorder,
    { reply() {}, answered() {}, runEnded() {}, outcomeHeld() {} },
    claude,
  )
  conversation.processStarted(process)
  return { conversation, recorder }
}

function read(conversation: Conversation, line: OutputLine): void {
  const [prompt] = conversation.active ? [] : promptsIn(line)
  if (prompt !== undefined) conversation.begin(resumeRun(queuedRun(`r_${line.offset}`, prompt)), line.time)
  conversation.line(line, process.id)
}

function end({ conversation, recorder }: WritingHalf): void {
  for (const each of [conversation.background, conversation.active]) {
    if (each) conversation.end(each, 'lost', 1, { lost: 'the test is over' })
  }
  recorder.commit()
}

/** Returns the uuids of the prompts that the `init` of a turn names. */
export function promptsIn(line: OutputLine): string[] {
  if (!('frame' in line) || line.frame['subtype'] !== 'init') return []
  const names = line.frame['user_message_uuids']
  return Array.isArray(names) ? (names as string[]) : []
}

const queuedRun = (id: string, promptUuid: string) => ({
  ...runRecord(id, 's_1', { state: 'queued', prompt: 'the prompt', origin: by, startedAt: null }),
  promptUuid,
})
