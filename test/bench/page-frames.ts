/**
 * What the main thread of a page did in each frame of its screen, from Chromium's trace. Each list is in ascending
 * order.
 */
export interface PageFrames {
  frames: number
  /** CPU time of the scripts of each frame, with the layouts that they forced. */
  scriptMs: Float64Array
  /** The same in wall-clock time, which includes other work of the machine. */
  clockMs: Float64Array
  /** Layouts in each frame. A layout that is still valid does not count. */
  layouts: Float64Array
}

export const traceCategories = ['devtools.timeline', 'disabled-by-default-devtools.timeline.frame']

interface TraceEvent {
  name: string
  ph: string
  pid: number
  tid: number
  /** `ts` and `dur` are in µs of wall-clock time, `tdur` in µs of CPU time. */
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
  // Calls are nested: only the outermost one counts.
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

/**
 * Returns the events of the thread with the most frames, in the order of time. Other pages and iframes have their own
 * threads.
 */
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
