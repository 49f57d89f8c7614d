import { hasTooManyBlocks, type OverBound, overBound } from './frame-bounds.ts'
import { redact } from '../../log/redact.ts'
import { endOfObject, type Search } from './scan-json.ts'
import { isShape, type Shape } from './shape.ts'

/** What a line of the raw log holds: frames, and whatever else stood there. */
export type Decoded = { frame: Shape } | { unparsed: Unparsed }

/**
 * The fields of an `unparsed` event. `too_deep` and `too_many_values` are JSON over a bound, `not_decodable` is a line
 * that muxd failed to read or translate. `bytes` counts what is reported, escape sequences left out; `head` has no
 * secrets.
 */
export interface Unparsed {
  reason: 'not_json' | 'not_an_object' | 'beside_a_frame' | 'not_decodable' | OverBound
  bytes: number
  head: string
}

/**
 * The bytes of one line decoded, in order: nothing for a blank line, one frame for nearly every other. Escape
 * sequences and control characters are taken off wherever they are, since JSON escapes both and they are never content.
 * Text glued to a frame becomes an `unparsed` of its own. Never throws.
 */
export function decodeLine(bytes: Buffer): Decoded[] {
  if (bytes.length === 0) return []
  // Nearly all lines: one decoding, one parse.
  const raw = bytes.toString('utf8')
  const value = parse(raw)
  if (isShape(value)) return asFrame(value, raw)
  const text = raw.replace(escapeSequences, '').replace(controlCharacters, '').trim()
  if (text === '') return []
  const cleaned = parse(text)
  if (isShape(cleaned)) return asFrame(cleaned, text)
  if (cleaned !== undefined) return [unparsed('not_an_object', text)]
  return takeApart(text)
}

/** Whether these bytes are a frame and nothing else: the end of another line never is, its braces do not match. */
export function isFrame(bytes: Buffer): boolean {
  return isShape(parse(bytes.toString('utf8')))
}

// CSI; OSC up to BEL or ST; DCS, SOS, PM and APC up to ST; and the two-character ones with their intermediates.
const escapeSequences =
  // oxlint-disable-next-line no-control-regex
  /\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[PX^_][^\x1b]*\x1b\\|\x1b[ -/]*[0-~]/g
// oxlint-disable-next-line no-control-regex
const controlCharacters = /[\x00-\x08\x0b-\x1f]/g

/** A line of broken JSON costs at most so many times its length. */
const maxScans = 64
const headLength = 200
/** A secret that begins in the head is told by more of it. */
const lookedLength = 2_000

/**
 * Types of the frames that are looked for inside a line that begins with a cut object. Without this list an inner object
 * of the cut one, such as a content block, would pass for a frame.
 */
const frameTypes = new Set([
  'assistant',
  'user',
  'system',
  'result',
  'stream_event',
  'tool_progress',
  'rate_limit_event',
  'conversation_reset',
  'command_lifecycle',
  'control_request',
  'control_response',
  'control_cancel_request',
])

/** The frames of a line that holds more than one frame, one JSON value after another, and the text around them. */
function takeApart(text: string): Decoded[] {
  const decoded: Decoded[] = []
  const search: Search = { budget: maxScans * text.length, failed: new Set() }
  let told = 0
  const tellText = (end: number) => {
    const beside = text.slice(told, end)
    if (beside.trim() !== '') decoded.push(unparsed('beside_a_frame', beside))
  }
  let isCut = false
  let start = text.indexOf('{')
  while (start >= 0 && search.budget > 0) {
    const end = search.failed.has(start) ? undefined : endOfObject(text, start, search)
    isCut ||= start === 0 && end === undefined
    const value = end === undefined ? undefined : parse(text.slice(start, end))
    if (end !== undefined && isShape(value) && isFrameType(value['type'], isCut)) {
      tellText(start)
      decoded.push(...asFrame(value, text.slice(start, end)))
      told = end
    }
    start = text.indexOf('{', end ?? start + 1)
  }
  if (decoded.length === 0) return [unparsed(overBound(text) ?? 'not_json', text)]
  tellText(text.length)
  return decoded
}

const isFrameType = (type: unknown, isCut: boolean) => typeof type === 'string' && (!isCut || frameTypes.has(type))

const asFrame = (frame: Shape, text: string): Decoded[] => [
  hasTooManyBlocks(frame) ? unparsed('too_many_values', text) : { frame },
]

/** Undefined for what is no JSON, or over a bound. */
function parse(text: string): unknown {
  if (overBound(text)) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function unparsed(reason: Unparsed['reason'], text: string): Decoded {
  return {
    unparsed: {
      reason,
      bytes: Buffer.byteLength(text),
      head: redact(text.slice(0, lookedLength)).slice(0, headLength),
    },
  }
}

/** Stands for a line, of `bytes` bytes, whose reading or translation failed. */
export const notDecodable = (bytes: number): { unparsed: Unparsed } => ({
  unparsed: { reason: 'not_decodable', bytes, head: '' },
})
