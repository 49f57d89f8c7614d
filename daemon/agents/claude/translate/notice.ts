import type { EventBody } from '../../../../protocol/index.ts'
import { nameOf, type Shape, shapeOf } from '../frame/shape.ts'

/** Returns the notice of a frame without an event of its own, verbatim, so that no output of Claude Code is dropped. */
export function notice(kind: string, frame: unknown): Extract<EventBody, { type: 'notice' }> {
  return { type: 'notice', kind, frame }
}

/** Returns the kind of a frame's notice: its type, and the field that distinguishes frames of that type. */
export function kindOfFrame(frame: Shape): string {
  const type = nameOf(frame['type']) ?? 'unknown'
  const detail =
    nameOf(frame['subtype']) ??
    nameOf(shapeOf(frame['event'])?.['type']) ??
    nameOf(shapeOf(frame['request'])?.['subtype'])
  return detail === undefined ? type : `${type}/${detail}`
}
