import type { EventBody } from '../../../../protocol/index.ts'
import { nameOf, type Shape, shapeOf } from '../shape.ts'

/** A frame that has no event of its own, verbatim: nothing Claude Code prints is dropped. */
export function notice(kind: string, frame: unknown): Extract<EventBody, { type: 'notice' }> {
  return { type: 'notice', kind, frame }
}

/** What a notice of this frame is called: its type, and what tells frames of that type apart. */
export function kindOfFrame(frame: Shape): string {
  const type = nameOf(frame['type']) ?? 'unknown'
  const detail =
    nameOf(frame['subtype']) ??
    nameOf(shapeOf(frame['event'])?.['type']) ??
    nameOf(shapeOf(frame['request'])?.['subtype'])
  return detail === undefined ? type : `${type}/${detail}`
}
