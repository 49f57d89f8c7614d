import type { EventOf } from '../../protocol/index.ts'
import { terminalTypes } from '../../protocol/events.ts'
import type { DamagedLines, OutputLine } from '../agents/agent.ts'
import type { EventRow, StoredProcess, StoredRun } from '../store/store.ts'
import { type ActiveRun, advance, resumeRun } from './active-run.ts'
import { askForEnd, exceed, pursue } from './asked-end.ts'
import type { Conversation } from './conversation.ts'
import type { Recorder } from './recorder.ts'

export interface ReplayOptions {
  conversation: Conversation
  recorder: Recorder
  process: StoredProcess
  /** The session's events as stored, from the process's `firstSeq` on. */
  rows: Iterable<EventRow>
  /** What the process has printed, up to the checkpoint. */
  lines: Iterable<OutputLine>
  runOf(id: string): StoredRun | undefined
  /** False where another program derived the events: then those that are stored count, whatever this one derives. */
  isComparable?: boolean
}

/** What is not as it was when it was translated first. */
export interface Differences {
  /** How many events are stored otherwise than they are derived now, and the first of them. */
  events: number
  firstSeq: number
  /** What of the raw log is known to be damaged. */
  damaged: DamagedLines[]
}

/**
 * Brings a conversation to where it was when the daemon before this one ended: hands it again everything that happened
 * to it, in the order in which the log has it. What its process printed is translated again by the very same code, and
 * must give the events that are stored, byte for byte, where the same program translated it then; what clients and muxd did is read from the log. Afterwards the
 * conversation goes on from there as if nothing had been.
 */
export function replay(options: ReplayOptions): Differences | undefined {
  const { conversation, recorder, process, isComparable = true } = options
  const lines = options.lines[Symbol.iterator]()
  let next = lines.next()
  const differences: Differences = { events: 0, firstSeq: 0, damaged: [] }

  const differ = (rows: readonly EventRow[]) => {
    if (!isComparable) return
    if (differences.events === 0) differences.firstSeq = rows[0]?.seq ?? recorder.head
    differences.events += Math.max(rows.length, 1)
  }
  /** The line that ends at `offset`: several when more than one frame was glued together. */
  const linesAt = (offset: number): OutputLine[] => {
    const found: OutputLine[] = []
    for (; !next.done && next.value.offset <= offset; next = lines.next()) {
      if (next.value.offset === offset && !('damaged' in next.value)) found.push(next.value)
      else silent(next.value)
    }
    return found
  }
  /** A line that gave no event; if it does now, that is a difference as well. */
  const silent = (line: OutputLine) => {
    if ('damaged' in line) differences.damaged.push(line.damaged)
    else if (!recorder.repeat([], () => conversation.line(line, process.id))) differ([])
  }

  for (const group of byLine(options.rows, process.id)) {
    const [{ process: source, offset }] = group
    const printed = source === process.id ? linesAt(offset!) : []
    if (printed.length > 0) {
      const repeat = () => printed.forEach(line => conversation.line(line, process.id))
      if (!recorder.repeat(group, repeat)) differ(group)
    } else {
      // What no line of this process made, or a line that is no more.
      if (source === process.id) differ(group)
      for (const row of group) repeatAct(row, options, () => differ([row]))
    }
  }
  for (; !next.done; next = lines.next()) silent(next.value)
  return differences.events > 0 || differences.damaged.length > 0 ? differences : undefined
}

/** Groups what one line gave. */
function* byLine(rows: Iterable<EventRow>, process: string): Generator<[EventRow, ...EventRow[]]> {
  let group: EventRow[] = []
  for (const row of rows) {
    const [first] = group
    if (first && (row.process !== process || first.process !== process || first.offset !== row.offset)) {
      yield group as [EventRow, ...EventRow[]]
      group = []
    }
    group.push(row)
  }
  if (group.length > 0) yield group as [EventRow, ...EventRow[]]
}

/** What a client or muxd did to a run, as far as it is the conversation's concern. */
function repeatAct(row: EventRow, { conversation, recorder, runOf }: ReplayOptions, differs: () => void) {
  const { active, background } = conversation
  const current = [active, background].find(run => run?.stored.run.run === row.run)
  if (row.type === 'run_started') {
    const run = asQueued(runOf(row.run!))
    if (!run) return
    const { time } = JSON.parse(row.text) as { time: number }
    if (run.stored.promptUuid !== null) {
      if (!recorder.repeat([row], () => conversation.begin(run, time))) differs()
    } else if (advance(run, 'started', time)) conversation.background = run
  } else if (row.type === 'cancel_requested' && current) {
    const request = JSON.parse(row.text) as EventOf<'cancel_requested'>
    askForEnd(current, request)
    advance(current, 'cancel_requested', request.time)
  } else if (row.type === 'limit_reached' && current) {
    const reached = JSON.parse(row.text) as EventOf<'limit_reached'>
    exceed(current, { limit: reached.limit, value: reached.value })
    advance(current, 'limit_reached', reached.time)
  } else if (row.type === 'cancel_escalated' && current) {
    pursue(current, (JSON.parse(row.text) as EventOf<'cancel_escalated'>).step)
  } else if (row.type === 'approval_resolved') {
    conversation.questions.closed((JSON.parse(row.text) as { approval: string }).approval)
  } else if (terminals.has(row.type)) {
    if (current === active) conversation.active = null
    if (current === background) conversation.background = null
  }
}

const terminals = new Set<string>(terminalTypes)

/** The run as it was before it was started. */
function asQueued(stored: StoredRun | undefined): ActiveRun | undefined {
  if (!stored) return undefined
  const run = { ...stored.run, state: 'queued' as const, startedAt: null, endedAt: null, lastSeq: null, result: null }
  return resumeRun({ ...stored, run })
}
