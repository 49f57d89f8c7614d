import type { AgentCodec, OutputLine } from '../../agents/agent.ts'
import type { StoredProcess } from '../../store/store.ts'
import { cutEvent } from './cut-event.ts'
import { type Place, placeBytes, start } from './places.ts'
import { outputsOf } from './process-output.ts'
import type { TopicLog } from './topic-log.ts'

export interface FramesLogOptions {
  epoch: string
  agent: AgentCodec
  /** The processes of the session, oldest first. */
  processes(): StoredProcess[]
  processesDir: string
  maxEventBytes: number
}

/**
 * Creates the log of `session/<id>/frames`: the output of all processes of a session, untranslated. It is read from the
 * raw logs, and nothing is stored for it. Lines are counted once, from where the last count ended. Some intermediate
 * counts are kept, so that a reader in the middle does not begin at the start. When a raw log is dropped, its count is
 * stored, so that the frames of later processes keep their numbers.
 */
export function createFramesLog(options: FramesLogOptions): TopicLog & { whole(seq: number): string | undefined } {
  const segments = new Map<string, Segment>()

  const all = (): Segment[] => {
    let before = 0
    return options.processes().map(process => {
      const segment = segments.get(process.id) ?? {
        process,
        before,
        count: 0,
        places: [start],
        whole: false,
      }
      segments.set(process.id, segment)
      segment.process = process
      segment.before = before
      if (process.frames !== null) segment.count = process.frames
      else if (!segment.whole) countOn(segment, options)
      segment.whole = process.endedAt !== null
      before += segment.count
      return segment
    })
  }

  const first = () => {
    const dropped = all().findLast(({ process }) => process.raw === 'dropped')
    return dropped ? dropped.before + dropped.count + 1 : 1
  }

  const read = (after: number, limit: number, maxBytes: number): string[] => {
    const texts: string[] = []
    let bytes = 0
    for (const segment of all()) {
      if (segment.process.raw === 'dropped' || segment.before + segment.count <= after) continue
      for (const { line, seq } of linesOf(segment, after, options)) {
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
    first,
    head: () => all().reduce((head, { count }) => head + count, 0),
    read: (after, limit, maxBytes) => read(after, limit, maxBytes).map(text => cutEvent(text, options.maxEventBytes)),
    whole: seq => (seq < first() ? undefined : read(seq - 1, 1, Infinity)[0]),
  }
}

interface Segment {
  process: StoredProcess
  /** Number of lines of the processes before this one. */
  before: number
  /** Number of its own lines counted so far. */
  count: number
  /** Positions at which reading can start. The last one is where counting ended. */
  places: [Place, ...Place[]]
  /** The process had ended before the last count, so no more lines come. */
  whole: boolean
}

type Source = Pick<FramesLogOptions, 'agent' | 'processesDir'>

function countOn(segment: Segment, { agent, processesDir }: Source) {
  const last = segment.places.at(-1)!
  for (const output of outputsOf(agent, processesDir, segment.process, last.offset)) {
    segment.count += output.lines.length
    const beforeLast = segment.places.at(-2)
    const place = { count: segment.count, offset: output.offset }
    if (beforeLast && place.offset - beforeLast.offset < placeBytes) segment.places.pop()
    segment.places.push(place)
  }
}

function* linesOf(
  segment: Segment,
  after: number,
  { agent, processesDir }: Source,
): Generator<{ line: OutputLine; seq: number }> {
  const { process, places, before, count } = segment
  const place = places.findLast(({ count: lines }) => lines <= after - before) ?? places[0]
  let seq = before + place.count
  for (const output of outputsOf(agent, processesDir, process, place.offset)) {
    // Records positions beyond those that counting recorded.
    const reached = { count: seq - before + output.lines.length, offset: output.offset }
    if (reached.offset >= places.at(-1)!.offset + placeBytes) places.push(reached)
    for (const line of output.lines) {
      seq += 1
      if (seq > before + count) return
      if (seq > after) yield { line, seq }
    }
  }
  // Lines that were counted but can no longer be read keep their numbers.
  const lost: OutputLine = { damaged: { bytes: 0, detail: '' }, offset: 0, time: process.endedAt ?? 0 }
  while (seq < before + count) {
    seq += 1
    if (seq > after) yield { line: lost, seq }
  }
}

function content(line: OutputLine) {
  if ('frame' in line) return { frame: line.frame }
  const unparsed = 'unparsed' in line ? line.unparsed : { reason: 'damaged', bytes: line.damaged.bytes, head: '' }
  return { frame: null, unparsed }
}
