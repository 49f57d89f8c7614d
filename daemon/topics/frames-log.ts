import { existsSync } from 'node:fs'
import { createOutputReader, type OutputLine } from '../claude/output.ts'
import { processFiles } from '../holder/process-files.ts'
import { openRawLog } from '../holder/raw-log.ts'
import type { StoredProcess } from '../store/store.ts'
import { cutEvent } from './cut-event.ts'
import type { TopicLog } from './topic-log.ts'

/**
 * `session/<id>/frames`: what Claude Code printed, untranslated, over all processes of a session. Nothing is stored for
 * it; it is read from the raw logs, whose lines are counted once, from where the last count ended. A few counts are
 * kept on the way, so that a reader in the middle does not begin at the start.
 */
export function createFramesLog(options: {
  epoch: string
  /** Of the session, oldest first. */
  processes(): StoredProcess[]
  processesDir: string
  maxEventBytes: number
}): TopicLog & { whole(seq: number): string | undefined } {
  const segments = new Map<string, Segment>()

  const all = (): Segment[] => {
    let before = 0
    return options.processes().map(process => {
      const segment = segments.get(process.id) ?? {
        process,
        before,
        count: 0,
        points: [{ count: 0, offset: 0 }],
        whole: false,
      }
      segments.set(process.id, segment)
      segment.before = before
      if (!segment.whole) countOn(segment, options.processesDir)
      segment.whole = process.endedAt !== null
      before += segment.count
      return segment
    })
  }

  const read = (after: number, limit: number, maxBytes: number): string[] => {
    const texts: string[] = []
    let bytes = 0
    for (const segment of all()) {
      if (segment.before + segment.count <= after) continue
      for (const { line, seq } of linesOf(segment, after, options.processesDir)) {
        const text = JSON.stringify({ seq, time: line.time, type: 'frame', ...content(line) })
        texts.push(text)
        bytes += text.length
        if (texts.length >= limit || bytes > maxBytes) return texts
      }
    }
    return texts
  }

  return {
    epoch: options.epoch,
    first: () => 1,
    head: () => all().reduce((head, { count }) => head + count, 0),
    read: (after, limit, maxBytes) => read(after, limit, maxBytes).map(text => cutEvent(text, options.maxEventBytes)),
    whole: seq => read(seq - 1, 1, Infinity)[0],
  }
}

interface Segment {
  process: StoredProcess
  /** Lines of the processes before this one. */
  before: number
  /** Its own lines, as far as they have been counted. */
  count: number
  /** Where counting may begin again: the last one is where it ended. */
  points: [Point, ...Point[]]
  /** The process had ended before it was counted last: there is nothing more to come. */
  whole: boolean
}

interface Point {
  count: number
  offset: number
}

const pointBytes = 256 * 1024

function countOn(segment: Segment, processesDir: string) {
  const last = segment.points.at(-1)!
  for (const output of outputsFrom(segment, last.offset, processesDir)) {
    segment.count += output.lines.length
    const beforeLast = segment.points.at(-2)
    const point = { count: segment.count, offset: output.offset }
    if (beforeLast && point.offset - beforeLast.offset < pointBytes) segment.points.pop()
    segment.points.push(point)
  }
}

function* linesOf(segment: Segment, after: number, processesDir: string): Generator<{ line: OutputLine; seq: number }> {
  const skip = after - segment.before
  const point = segment.points.findLast(({ count }) => count <= skip) ?? segment.points[0]
  let seq = segment.before + point.count
  for (const output of outputsFrom(segment, point.offset, processesDir)) {
    for (const line of output.lines) {
      seq += 1
      if (seq > segment.before + segment.count) return
      if (seq > after) yield { line, seq }
    }
  }
}

function* outputsFrom({ process }: Segment, offset: number, processesDir: string) {
  // A process that is just being started has none yet.
  if (!existsSync(processFiles(processesDir, process.id).raw)) return
  const rawLog = openRawLog(processesDir, process.id)
  try {
    const reader = createOutputReader(rawLog, process.nonce, offset)
    for (let output = reader.read(); output; output = reader.read()) yield output
  } finally {
    rawLog.close()
  }
}

function content(line: OutputLine) {
  if ('frame' in line) return { frame: line.frame }
  const unparsed = 'unparsed' in line ? line.unparsed : { reason: 'damaged', bytes: line.damaged.bytes, head: '' }
  return { frame: null, unparsed }
}
