import { limits } from '../../../../protocol/limits.ts'
import { isShape, listOf, shapeOf } from './shape.ts'

/** The reason why a line is not read as a frame although it may be JSON. */
export type OverBound = 'too_deep' | 'too_many_values'

/**
 * Returns whether JSON text nests too deep or has too many values; undefined if neither. One scan without recursion,
 * before the text is parsed. Parsing would need memory for each value, and `JSON.stringify` a stack frame for each
 * level, with a stack limit that differs from call to call.
 */
export function overBound(text: string): OverBound | undefined {
  // Each level needs an opening and a closing character.
  if (text.length <= 2 * limits.maxFrameDepth) return undefined
  let depth = 0
  let values = 0
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case quote:
        at = endOfString(text, at)
        break
      case openBrace:
      case openBracket:
        depth += 1
        values += 1
        if (depth > limits.maxFrameDepth) return 'too_deep'
        break
      case closeBrace:
      case closeBracket:
        depth -= 1
        break
      case comma:
        values += 1
        break
    }
    if (values > limits.maxFrameValues) return 'too_many_values'
  }
  return undefined
}

/** Bounds the events of a frame, because each content block of a message becomes one event or more. */
export function hasTooManyBlocks(frame: unknown): boolean {
  const content = isShape(frame) ? shapeOf(frame['message'])?.['content'] : undefined
  return listOf(content).length > limits.maxFrameBlocks
}

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

/** Returns the index of the quote that closes the string which opens at `start`, or the end of the text. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === quote) return at
    if (code === backslash) at += 1
  }
  return at
}
