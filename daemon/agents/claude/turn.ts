import type { Turn } from '../agent.ts'
import { listOf, nameOf, type Shape, shapeOf, stringOf, stringsOf } from './shape.ts'

/**
 * Reads `system/init` and `result`; null for any other frame. Versions before 2.1.329 name no uuids: then the turns
 * come in the order of the lines.
 */
export function readTurn(frame: unknown): Turn | null {
  const read = shapeOf(frame)
  if (!read) return null
  if (read['type'] === 'system' && read['subtype'] === 'init')
    return { at: 'started', promptUuids: promptUuids(read), background: null }
  if (read['type'] !== 'result') return null
  const kind = nameOf(shapeOf(read['origin'])?.['kind'])
  return {
    at: 'ended',
    promptUuids: promptUuids(read),
    background: kind === undefined || kind === 'human' ? null : { kind },
  }
}

function promptUuids(frame: Shape): string[] {
  const uuids = new Set(stringsOf(frame['user_message_uuids']))
  const single = nameOf(frame['user_message_uuid'])
  if (single !== undefined) uuids.add(single)
  return [...uuids]
}

/** A frame of the control protocol, from Claude Code's side. */
export type Control =
  /** A question to the session, which answers it by `requestId`. */
  | { kind: 'request'; requestId: string; subtype: string; request: Shape }
  /** The answer to a request of the session's. `pending` are questions that were open when `initialize` was answered. */
  | { kind: 'response'; requestId: string; ok: true; response: Shape; pending: Control[] }
  | { kind: 'response'; requestId: string; ok: false; error: string; errorCode: string | null }
  /** A question is withdrawn: no answer is awaited any more. */
  | { kind: 'cancel'; requestId: string }

/** Null for every other frame, and for one that names no request. */
export function readControl(frame: unknown): Control | null {
  const read = shapeOf(frame)
  switch (read?.['type']) {
    case 'control_request':
      return readRequest(read)
    case 'control_response':
      return readResponse(shapeOf(read['response']) ?? {})
    case 'control_cancel_request': {
      const requestId = nameOf(read['request_id'])
      return requestId === undefined ? null : { kind: 'cancel', requestId }
    }
    default:
      return null
  }
}

/** The prompts that wait for their turn, as the answer to an interrupt names them; those it has not touched. */
export const stillQueued = (control: Control): string[] =>
  control.kind === 'response' && control.ok ? stringsOf(control.response['still_queued']) : []

function readRequest(frame: Shape): Control | null {
  const requestId = nameOf(frame['request_id'])
  const request = shapeOf(frame['request'])
  if (requestId === undefined || !request) return null
  return { kind: 'request', requestId, subtype: stringOf(request['subtype']) ?? '', request }
}

function readResponse(answer: Shape): Control | null {
  const requestId = nameOf(answer['request_id'])
  if (requestId === undefined) return null
  if (answer['subtype'] === 'error') {
    const error = stringOf(answer['error']) ?? 'unknown error'
    return { kind: 'response', requestId, ok: false, error, errorCode: nameOf(answer['error_code']) ?? null }
  }
  const pending = listOf(answer['pending_permission_requests']).flatMap(request => readControl(request) ?? [])
  return { kind: 'response', requestId, ok: true, response: shapeOf(answer['response']) ?? {}, pending }
}
