import type { EventOf, Origin, TerminalEvent, Tokens } from '../../../sdk/browser.ts'
import type { Handlers, TranscriptBuilder } from './transcript-builder.ts'
import * as say from './labels.ts'

interface RunStatusBar {
  /** Unknown if the start of the run is not in the transcript. */
  startedAt?: number
  costUsd?: number
  tokens?: Tokens
}

/** Handles runs from their prompt to their end. Calls `onEnd` first when a run ends. */
export function runHandlers(builder: TranscriptBuilder, onEnd: () => void) {
  const { facts, openTools, touch } = builder
  const queued = new Map<string, { prompt: string; origin: Origin }>()
  const runs = new Map<string, RunStatusBar>()

  function prompt(event: TerminalEvent | EventOf<'run_started'>, text: string, origin: Origin): void {
    builder.append(event, { ...builder.common(event, `prompt:${event.run ?? ''}`), kind: 'prompt', text, origin })
  }

  function ended(event: TerminalEvent): void {
    onEnd()
    for (const tool of openTools) {
      if (tool.run !== event.run) continue
      openTools.delete(tool)
      if (tool.task && !tool.task.ended) continue
      tool.state = 'stopped'
      tool.endedAt = event.time
      touch(tool)
    }
    const run = event.run ?? ''
    const waiting = queued.get(run)
    // The run never started, so its prompt is not in the transcript yet.
    if (waiting) prompt(event, waiting.prompt, waiting.origin)
    const { startedAt, costUsd, tokens } = runs.get(run) ?? {}
    const last = builder.items.at(-1)
    const isExplained =
      event.type === 'failed' &&
      last?.kind === 'text' &&
      last.blocks.all.some(({ source }) => source.includes(event.failure.detail))
    const place = builder.common(event, `end:${run}`)
    builder.append(event, { ...place, kind: 'end', event, isExplained, startedAt, costUsd, tokens })
    builder.announcement = say.ended(event)
    queued.delete(run)
    runs.delete(run)
    if (facts.run?.run === run) facts.run = undefined
    facts.status = null
  }

  return {
    run_queued(event) {
      queued.set(event.run ?? '', event)
    },
    run_started(event) {
      const run = event.run ?? ''
      queued.delete(run)
      runs.set(run, { startedAt: event.time })
      facts.run = { run, startedAt: event.time, cancelledBy: undefined }
      prompt(event, event.prompt, event.origin)
    },
    cost(event) {
      facts.costUsd = event.costUsd
      const { models = {} } = event
      facts.contextWindow =
        contextWindowOf(models[facts.model ?? ''] ?? Object.values(models)[0]) ?? facts.contextWindow
      const run = event.run ?? ''
      runs.set(run, { ...runs.get(run), costUsd: event.runCostUsd, tokens: event.tokens })
    },
    cancel_requested(event) {
      // A queued run gets no line: its end follows its prompt and says who cancelled it.
      if (queued.has(event.run ?? '')) return
      if (facts.run && facts.run.run === event.run) facts.run = { ...facts.run, cancelledBy: event.by }
      builder.line(event, say.cancelRequested(event), { tone: 'warning' })
    },
    limit_reached(event) {
      builder.line(event, say.limitReached(event), { tone: 'warning' })
    },
    cancel_escalated(event) {
      builder.line(event, say.escalated(event), { tone: 'warning' })
    },
    done: ended,
    failed: ended,
    cancelled: ended,
    interrupted: ended,
  } satisfies Partial<Handlers>
}

/** Reads the context window, in tokens, from Claude Code's own usage record of a model. */
function contextWindowOf(used: unknown): number | undefined {
  if (typeof used !== 'object' || used === null || !('contextWindow' in used)) return undefined
  const { contextWindow } = used
  return typeof contextWindow === 'number' && contextWindow > 0 ? contextWindow : undefined
}
