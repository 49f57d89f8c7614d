import { crc32 } from 'node:zlib'

/**
 * CRC-32 of a text and of what belongs to it in its row, put into a number: a text in another's row is as wrong as one
 * that has changed.
 */
export function checksumOf(text: string, context: number): number {
  return crc32(text, context)
}

export function contextOf(...rest: (string | number | null)[]): number {
  return crc32(rest.join(' '))
}

/**
 * Whether a row is as it was written. One without a checksum (of an earlier muxd, or whose header is damaged so that the
 * column is not found) must hold JSON as it is written: damage of a header moves or cuts the text, which is none then.
 */
export function isSound(checksum: number | null, text: unknown, context: number): text is string {
  // A damaged header may make anything of a column.
  if (typeof text !== 'string') return false
  if (checksum !== null) return checksum === checksumOf(text, context)
  try {
    return JSON.stringify(JSON.parse(text)) === text
  } catch {
    return false
  }
}
