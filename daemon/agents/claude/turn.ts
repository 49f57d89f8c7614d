import { listOf, nameOf, type Shape, shapeOf, stringOf, stringsOf } from './shape.ts'

/** Where a turn begins or ends, and whose it is. */
export interface Turn {
  at: 'started' | 'ended'
  /** The uuids of the user lines that the turn answers; several when Claude Code has merged them into one turn. */
  promptUuids: string[]
  /** Set when Claude Code began the turn itself. Only the end says so: a start without uuids may yet be one. */
  background: { kind: string } | null
}

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

/**
 * Why a turn that Claude Code begins itself soon begins, in the words its end will use for it; undefined for any frame
 * that tells no such thing.
 */
export function readCause(frame: unknown): string | undefined {
  const read = shapeOf(frame)
  return read?.['type'] === 'system' && read['subtype'] === 'task_notification' ? 'task-notification' : undefined
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

/**
 * The end of a prompt that Claude Code names (`command_lifecycle`); undefined for any other frame. It comes behind the
 * result of the prompt's turn. A prompt that joined another turn ends before the result of that turn.
 */
export function readPromptEnd(frame: unknown): { uuid: string; completed: boolean } | undefined {
  const read = shapeOf(frame)
  if (read?.['type'] !== 'command_lifecycle') return undefined
  const uuid = nameOf(read['command_uuid'])
  const completed = read['state'] === 'completed'
  return uuid !== undefined && (completed || read['state'] === 'cancelled') ? { uuid, completed } : undefined
}

/** The prompt whose arrival or progress Claude Code reports; undefined for any other frame. */
export function readPromptUuid(frame: unknown): string | undefined {
  const read = shapeOf(frame)
  return read?.['type'] === 'command_lifecycle' ? nameOf(read['command_uuid']) : undefined
}
