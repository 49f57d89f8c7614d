import type { FrameEvent, Gap } from '../../sdk/browser.ts'

/** The frames that are kept in memory: a contiguous part of the topic, the newest of it first dropped at the other end. */
export interface FrameWindow {
  rows: readonly (FrameEvent | Gap)[]
  /** Older ones were dropped to make room. */
  trimmed: boolean
}

export const emptyWindow: FrameWindow = { rows: [], trimmed: false }

export const maxRows = 5_000

/** With newer frames at the end. Those at the beginning make room; they can be read again. */
export function withNewer(window: FrameWindow, newer: readonly (FrameEvent | Gap)[]): FrameWindow {
  const rows = [...window.rows, ...newer]
  if (rows.length <= maxRows) return { rows, trimmed: window.trimmed }
  // In large steps: each costs a copy, and moves what is looked at.
  return { rows: rows.slice(rows.length - maxRows * 0.8), trimmed: true }
}

/** With older frames at the beginning. */
export function withOlder(window: FrameWindow, older: readonly FrameEvent[]): FrameWindow {
  const first = window.rows[0]
  const fresh = first && first.type === 'frame' ? older.filter(({ seq }) => seq < first.seq) : older
  return { rows: [...fresh, ...window.rows], trimmed: false }
}

/** What a frame is called in a list: its type and subtype, and what is in it in short. */
export function frameLine(event: FrameEvent): { kind: string; gist: string } {
  if (event.unparsed) return { kind: 'no JSON', gist: event.unparsed.head }
  const frame = (typeof event.frame === 'object' && event.frame !== null ? event.frame : {}) as Record<string, unknown>
  const inner = frame['event'] as { type?: unknown } | undefined
  const parts = [frame['type'], frame['subtype'], inner?.type].filter(part => typeof part === 'string')
  const { type: _type, subtype: _subtype, ...rest } = frame
  return { kind: parts.join(' · ') || 'frame', gist: JSON.stringify(rest).slice(0, 300) }
}
