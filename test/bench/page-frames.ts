/** What the main thread of a page did, by the frames of its screen, as Chromium's trace tells it. Each list ascending. */
export interface PageFrames {
  frames: number
  /** Script of each frame, with the layouts that it forced: the time of the processor that it took. */
  scriptMs: Float64Array
  /** The same by the clock: what else the machine does is in it. */
  clockMs: Float64Array
  /** Layouts that were not done already. */
  layouts: Float64Array
}

export const traceCategories = ['devtools.timeline', 'disabled-by-default-devtools.timeline.frame']

interface TraceEvent {
  name: string
  ph: string
  pid: number
  tid: number
  /** µs by the clock, and of the processor's time. */
  ts: number
  dur?: number
  tdur?: number
}

const script = new Set(['FunctionCall', 'EvaluateScript', 'RunMicrotasks'])
const beginning = 'BeginMainThreadFrame'

export function framesOf(trace: Buffer): PageFrames {
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] }
  const events = ofBusiest(traceEvents)
  const begins = events.filter(({ name }) => name === beginning).map(({ ts }) => ts)
  const frames = begins.length - 1
  const scriptMs = new Float64Array(frames)
  const clockMs = new Float64Array(frames)
  const layouts = new Float64Array(frames)
  let frame = -1
  // Calls lie within calls.
  let until = 0
  for (const { name, ts, dur = 0, tdur = 0 } of events) {
    while (frame < frames && ts >= begins[frame + 1]!) frame++
    if (frame < 0 || frame >= frames) continue
    if (name === 'Layout') layouts[frame]! += 1
    if (!script.has(name) || ts < until) continue
    until = ts + dur
    scriptMs[frame]! += tdur / 1e3
    clockMs[frame]! += dur / 1e3
  }
  return { frames, scriptMs: scriptMs.sort(), clockMs: clockMs.sort(), layouts: layouts.sort() }
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
