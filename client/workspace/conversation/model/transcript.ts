import type { Event, EventType, Gap } from '../../../sdk/browser.ts'
import type { Facts, Item, ToolItem } from './items.ts'
import { createMessages } from './messages.ts'
import { runHandlers } from './runs.ts'
import { createTranscriptBuilder, type Handlers, type TranscriptBuilder } from './transcript-builder.ts'
import { toolHandlers } from './tools.ts'
import * as say from './labels.ts'

/**
 * Turns a session's events into items to show. The same events give the same items, however they are delivered. It can
 * begin anywhere in a log; something that began earlier is shown from its first event in the transcript on. Each event
 * takes constant time.
 */
export interface Transcript {
  readonly items: readonly Item[]
  readonly facts: Readonly<Facts>
  /** The latest open tool that waits for an answer, else the latest open tool. */
  readonly current: ToolItem | undefined
  /** Returns the index of the first item that differs since the last call; `items.length` if none does. */
  takeChanged(): number
  /** The newest text to announce to screen readers: a finished text, an approval or the end of a run. */
  readonly announcement: string
  add(event: Event | Gap): void
}

export function createTranscript(): Transcript {
  const builder = createTranscriptBuilder()
  const messages = createMessages(builder)
  const on: Handlers = {
    ...messages.handlers,
    ...toolHandlers(builder),
    ...runHandlers(builder, messages.finishAll),
    ...sessionHandlers(builder),
    ...remarkHandlers(builder),
    // The queue shows the position.
    run_moved() {},
    // Sources are only shown in the frames.
    citation() {},
  }

  return {
    items: builder.items,
    facts: builder.facts,
    get current() {
      const open = [...builder.openTools]
      return open.findLast(({ state }) => state === 'waiting') ?? open.at(-1)
    },
    takeChanged: builder.takeChanged,
    get announcement() {
      return builder.announcement
    },
    add(event) {
      if (event.type === 'gap') {
        builder.beginEra()
        builder.line({ seq: event.to, time: 0, run: null }, say.gap(event), { tone: 'error' })
        return
      }
      if (event.run !== null && !ofOthers.has(event.type))
        builder.facts.heardAt = event.time
        // A newer daemon may send unknown types.
      ;(on[event.type] as ((event: Event) => void) | undefined)?.(event)
    },
  }
}

/** Events of a run that Claude Code does not cause. */
const ofOthers = new Set<EventType>([
  'run_queued',
  'run_moved',
  'cancel_requested',
  'limit_reached',
  'cancel_escalated',
  'approval_resolved',
])

/** Handles changes of the session and the state that Claude Code reports. */
function sessionHandlers({ items, facts, line, touch }: TranscriptBuilder) {
  return {
    session_forked(event) {
      line(event, say.forked(event))
    },
    session_imported(event) {
      line(event, say.imported(event))
    },
    session_updated(event) {
      const { permissionMode } = event.changes
      const last = items.at(-1)
      // The process has already reported the new mode, without its author. Replace that line.
      if (permissionMode !== undefined && last?.kind === 'line' && last.about === 'permission_mode') {
        Object.assign(last, { text: say.updated(event), about: '' })
        touch(last)
      } else line(event, say.updated(event))
      facts.permissionMode = permissionMode ?? facts.permissionMode
    },
    session_init(event) {
      facts.model = event.model ?? facts.model
      facts.permissionMode = event.permissionMode ?? facts.permissionMode
      facts.apiKeySource = event.apiKeySource ?? facts.apiKeySource
    },
    status(event) {
      facts.status = event.status
      const { permissionMode } = event
      if (permissionMode === undefined || permissionMode === facts.permissionMode) return
      facts.permissionMode = permissionMode
      line(event, say.modeChanged(permissionMode), { about: 'permission_mode' })
    },
    compaction(event) {
      facts.contextTokens = event.postTokens
      line(event, say.compacted(event))
    },
    claude_session_changed(event) {
      line(event, say.conversationChanged(event))
    },
  } satisfies Partial<Handlers>
}

/** Handles the other events; most of them become lines. */
function remarkHandlers({ append, common, facts, line, replaceLine }: TranscriptBuilder) {
  return {
    user_message(event) {
      const { replay, synthetic, parent, text } = event
      if (replay || synthetic) return
      if (parent === undefined) line(event, text)
      else append(event, { ...common(event, `user:${event.seq}`), kind: 'prompt', text, origin: undefined })
    },
    rate_limit(event) {
      if (event.status !== 'allowed') replaceLine(event, say.rateLimit(event), { tone: 'warning', about: 'rate_limit' })
    },
    api_retry(event) {
      replaceLine(event, say.retry(event), { tone: 'warning', about: 'api_retry' })
    },
    hook(event) {
      const failed = event.outcome !== undefined && event.outcome !== 'success'
      if (event.phase !== 'ended' || (!failed && !event.output?.trim())) return
      line(event, say.hook(event), { tone: failed ? 'warning' : 'quiet', detail: event.output ?? '' })
    },
    background_lost({ tasks, more, ...event }) {
      const named = tasks.map(({ id, description }) => description ?? id).join(', ')
      line(event, `Background work ended unfinished: ${named}${more > 0 ? ` and ${more} more` : ''}`, {
        tone: 'warning',
      })
    },
    system_message(event) {
      facts.model = event.model ?? facts.model
      const tone = event.level === 'info' ? 'quiet' : event.level
      line(event, say.firstLine(event.text), { tone, ...(say.isLong(event.text) && { detail: event.text }) })
    },
    thinking_progress(event) {
      replaceLine(event, say.thinkingProgress(event), { tone: 'quiet', about: 'thinking_progress' })
    },
    redacted_thinking(event) {
      line(event, 'Thinking that the API encrypted')
    },
    notice(event) {
      // Claude Code's constant reports on its own work are only shown in the frames.
      if (say.isWorking(event.kind)) return
      line(event, say.notice(event.kind), { detail: JSON.stringify(event.frame, null, 2) })
    },
    unparsed(event) {
      line(event, say.unparsed(event), { tone: 'warning', detail: event.head })
    },
    log_damaged(event) {
      line(event, say.damaged(event), { tone: 'error' })
    },
  } satisfies Partial<Handlers>
}
