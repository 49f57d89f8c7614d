/** What the main thread of a page did, by the frames of its screen, as Chromium's trace tells it. */
export interface PageFrames {
  frames: number
  /** Script of each frame, with the layouts that it forced; ascending. */
  scriptMs: Float64Array
  /** Layouts that were not done already, of each frame; ascending. */
  layouts: Float64Array
  layoutMs: Float64Array
}

export const traceCategories = ['devtools.timeline', 'disabled-by-default-devtools.timeline.frame']

interface TraceEvent {
  name: string
  ph: string
  pid: number
  tid: number
  /** µs. */
  ts: number
  dur?: number
}

const script = new Set(['FunctionCall', 'EvaluateScript', 'RunMicrotasks'])
const beginning = 'BeginMainThreadFrame'

export function framesOf(trace: Buffer): PageFrames {
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] }
  const events = ofBusiest(traceEvents)
  const begins = events.filter(({ name }) => name === beginning).map(({ ts }) => ts)
  const frames = begins.length - 1
  const sums = { script: new Float64Array(frames), layouts: new Float64Array(frames), layout: new Float64Array(frames) }
  let frame = -1
  // Calls lie within calls: only what reaches beyond the one before is new.
  let until = 0
  for (const { name, ts, dur = 0 } of events) {
    while (frame < frames && ts >= begins[frame + 1]!) frame++
    if (frame < 0 || frame >= frames) continue
    if (script.has(name) && ts + dur > until) {
      sums.script[frame]! += (ts + dur - Math.max(until, ts)) / 1e3
      until = ts + dur
    } else if (name === 'Layout') {
      sums.layouts[frame]! += 1
      sums.layout[frame]! += dur / 1e3
    }
  }
  return { frames, scriptMs: sums.script.sort(), layouts: sums.layouts.sort(), layoutMs: sums.layout.sort() }
}

/** The events of the thread with the most frames, by their time: other pages and frames have threads of their own. */
function ofBusiest(events: TraceEvent[]): TraceEvent[] {
  const threads = new Map<string, TraceEvent[]>()
  for (const event of events) {
    const thread = `${event.pid}/${event.tid}`
    const known = threads.get(thread)
    if (known) known.push(event)
    else threads.set(thread, [event])
  }
  const framesIn = (thread: TraceEvent[]) => thread.filter(({ name }) => name === beginning).length
  const [busiest = []] = [...threads.values()].sort((one, two) => framesIn(two) - framesIn(one))
  return busiest.sort((one, two) => one.ts - two.ts)
}
