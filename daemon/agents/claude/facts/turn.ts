import type { Turn } from '../../agent.ts'
import { listOf, nameOf, type Shape, shapeOf, stringOf, stringsOf } from '../frame/shape.ts'

/**
 * Reads the turn of `system/init` and `result`. Returns null for any other frame. Versions before 2.1.329 name no
 * uuids; their turns come in the order of the lines sent.
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

/** A frame of the control protocol from Claude Code. */
export type Control =
  /** A request to the session, which answers it with `requestId`. */
  | { kind: 'request'; requestId: string; subtype: string; request: Shape }
  /**
   * The answer to a request of the session. `pending` are the requests that were open when `initialize` was answered.
   */
  | { kind: 'response'; requestId: string; ok: true; response: Shape; pending: Control[] }
  | { kind: 'response'; requestId: string; ok: false; error: string; errorCode: string | null }
  /** The withdrawal of a request. Claude Code no longer waits for its answer. */
  | { kind: 'cancel'; requestId: string }

/** Returns null for every other frame, and for a frame without a request id. */
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

/** Returns the queued prompts that an interrupt did not affect, as its answer names them. */
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
