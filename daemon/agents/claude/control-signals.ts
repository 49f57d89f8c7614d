import type { Signal } from '../agent.ts'
import type { ClaudeDecoder } from './claude-decoder.ts'
import { unsupportedLine } from './control.ts'
import { readPermissionRequest } from './facts/permission-request.ts'
import type { Shape } from './frame/shape.ts'
import { type Control, readControl, stillQueued } from './facts/turn.ts'

/** Returns the signals of a frame of the control protocol. */
export function controlSignals(decoder: ClaudeDecoder, frame: Shape): Signal[] {
  const control = readControl(frame)
  if (!control) return []
  switch (control.kind) {
    case 'request':
      return [requested(decoder, control)]
    case 'cancel':
      return [{ signal: 'withdrawn', requestId: control.requestId }]
    case 'response': {
      const { requestId } = control
      const facts = { signal: 'answered' as const, requestId, stillQueued: stillQueued(control) }
      if (!control.ok) return [{ ...facts, ok: false, error: control.error, errorCode: control.errorCode }]
      // Requests that were pending when `initialize` was answered.
      const pending = control.pending.flatMap(each => (each.kind === 'request' ? requested(decoder, each) : []))
      return [...pending.filter(({ signal }) => signal === 'asked'), { ...facts, ok: true }]
    }
  }
}

function requested({ translator, tasks }: ClaudeDecoder, control: Control & { kind: 'request' }): Signal {
  const { requestId, subtype } = control
  const request = readPermissionRequest(control)
  if (!request)
    return { signal: 'reply', requestId, lineId: `answer-${requestId}`, line: unsupportedLine(requestId, subtype) }
  const { task, ...question } = request
  if (task === undefined) return { signal: 'asked', question: { ...question, inBackground: false } }
  const parent = translator.tasks.get(task)
  const inBackground = tasks.listed && tasks.ids.includes(task)
  return { signal: 'asked', question: { ...question, ...(parent !== undefined && { parent }), inBackground } }
}
