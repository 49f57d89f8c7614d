import { crc32 } from 'node:zlib'

/**
 * Returns the CRC-32 of a text and of the rest of its row, which `context` stands for. It detects a text that has moved
 * to another row as well as one that has changed.
 */
export function checksumOf(text: string, context: number): number {
  return crc32(text, context)
}

export function contextOf(...rest: (string | number | null)[]): number {
  return crc32(rest.join(' '))
}

/**
 * Returns whether a row is as it was written. A row without a checksum (written by an earlier muxd, or with a damaged
 * header that hides the column) must hold JSON as `JSON.stringify` writes it: damage of a header moves or cuts the
 * text, which is then not JSON.
 */
export function isSound(checksum: number | null, text: unknown, context: number): text is string {
  // A damaged header may turn a column into anything.
  if (typeof text !== 'string') return false
  if (checksum !== null) return checksum === checksumOf(text, context)
  try {
    return JSON.stringify(JSON.parse(text)) === text
  } catch {
    return false
  }
}
