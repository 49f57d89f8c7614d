import type { LineContent } from '../../agent.ts'
import { hasTooManyBlocks, type OverBound, overBound } from './frame-bounds.ts'
import { redact } from '../../../log/redact.ts'
import { endOfObject, type Search } from './scan-json.ts'
import { isShape, type Shape } from './shape.ts'

/**
 * The fields of an `unparsed` event. `too_deep` and `too_many_values` mean JSON above a bound, `not_decodable` a line
 * that muxd failed to read or translate. `bytes` is the size of the reported text without escape sequences. `head` is
 * its beginning without secrets.
 */
export interface Unparsed {
  reason: 'not_json' | 'not_an_object' | 'beside_a_frame' | 'not_decodable' | OverBound
  bytes: number
  head: string
}

/**
 * Decodes the bytes of one line, in order: nothing for a blank line, one frame for nearly every other line. Removes
 * escape sequences and control characters anywhere, since JSON escapes both and they are never content. Text glued to a
 * frame becomes an `unparsed` of its own. Never throws.
 */
export function decodeLine(bytes: Buffer): LineContent[] {
  if (bytes.length === 0) return []
  // Enough for nearly all lines.
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

/** Whether these bytes are exactly one frame. The end of another line never is one, because its braces do not match. */
export function isFrame(bytes: Buffer): boolean {
  return isShape(parse(bytes.toString('utf8')))
}

// CSI; OSC up to BEL or ST; DCS, SOS, PM and APC up to ST; and two-character sequences with intermediates.
const escapeSequences =
  // oxlint-disable-next-line no-control-regex
  /\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[PX^_][^\x1b]*\x1b\\|\x1b[ -/]*[0-~]/g
// oxlint-disable-next-line no-control-regex
const controlCharacters = /[\x00-\x08\x0b-\x1f]/g

/** The search in a line of broken JSON reads at most this many times its length. */
const maxScans = 64
const headLength = 200
/** The length in which secrets are looked for: a secret that begins in the head may end behind it. */
const lookedLength = 2_000

/**
 * The types of frames that may follow a truncated object on a line. Without this list, an inner object of the truncated
 * one, such as a content block, would be taken for a frame.
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

/** Returns the frames of a line with more than one JSON value, and the text around them. */
function takeApart(text: string): LineContent[] {
  const decoded: LineContent[] = []
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

const asFrame = (frame: Shape, text: string): LineContent[] => [
  hasTooManyBlocks(frame) ? unparsed('too_many_values', text) : { frame },
]

/** Returns undefined for text that is not JSON or is above a bound. */
function parse(text: string): unknown {
  if (overBound(text)) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function unparsed(reason: Unparsed['reason'], text: string): LineContent {
  return {
    unparsed: {
      reason,
      bytes: Buffer.byteLength(text),
      head: redact(text.slice(0, lookedLength)).slice(0, headLength),
    },
  }
}

/** Returns the `unparsed` of a line of `bytes` bytes whose reading or translation failed. */
export const notDecodable = (bytes: number): { unparsed: Unparsed } => ({
  unparsed: { reason: 'not_decodable', bytes, head: '' },
})
