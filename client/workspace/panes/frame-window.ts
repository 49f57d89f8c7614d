import type { FrameEvent, Gap } from '../../sdk/browser.ts'

/**
 * The frames kept in memory: a contiguous part of the topic, oldest first. New frames push out the oldest, but while the
 * user reads older ones the window may grow to `maxRowsWhileReading`.
 */
export interface FrameWindow {
  rows: readonly (FrameEvent | Gap)[]
  /** Older frames were dropped to make room. */
  trimmed: boolean
}

export const emptyWindow: FrameWindow = { rows: [], trimmed: false }

export const maxRows = 5_000
export const maxRowsWhileReading = 20_000

/** Appends newer frames. Above the bound it drops the oldest ones, which can be read again. */
export function withNewer(
  window: FrameWindow,
  newer: readonly (FrameEvent | Gap)[],
  { isReading = false } = {},
): FrameWindow {
  const rows = [...window.rows, ...newer]
  if (rows.length <= (isReading ? maxRowsWhileReading : maxRows)) return { rows, trimmed: window.trimmed }
  // Drop many at once, because each drop copies the rows and moves the visible ones.
  return { rows: rows.slice(rows.length - maxRows * 0.8), trimmed: true }
}

/** Prepends older frames. If there is no room for all, it keeps the newest of them. */
export function withOlder(window: FrameWindow, older: readonly FrameEvent[]): FrameWindow {
  const first = window.rows[0]
  const fresh = first && first.type === 'frame' ? older.filter(({ seq }) => seq < first.seq) : older
  const room = Math.max(0, maxRowsWhileReading - window.rows.length)
  return { rows: [...fresh.slice(Math.max(0, fresh.length - room)), ...window.rows], trimmed: fresh.length > room }
}

/** Whether there is no room for another older frame. */
export const isFull = ({ rows }: FrameWindow): boolean => rows.length >= maxRowsWhileReading

/**
 * Describes a frame in one row: `kind` is its type and subtype, `gist` the first 300 characters of its other fields.
 */
export function frameLine(event: FrameEvent): { kind: string; gist: string } {
  if (event.unparsed) return { kind: 'no JSON', gist: event.unparsed.head }
  const frame = (typeof event.frame === 'object' && event.frame !== null ? event.frame : {}) as Record<string, unknown>
  const inner = frame['event'] as { type?: unknown } | undefined
  const parts = [frame['type'], frame['subtype'], inner?.type].filter(part => typeof part === 'string')
  const { type: _type, subtype: _subtype, ...rest } = frame
  return { kind: parts.join(' · ') || 'frame', gist: JSON.stringify(rest).slice(0, 300) }
}
