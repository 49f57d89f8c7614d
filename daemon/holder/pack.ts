import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { crc32, gunzipSync } from 'node:zlib'
import type { KeptFile } from './kept-file.ts'

/**
 * `<id>.pack`: the kept files of a process that has ended, compressed, and readable from any place, and `places`, where
 * in its output a reader may begin (`topics/places.ts`). Each is a row of gzip members of `blockBytes` (uncompressed)
 * each, followed by an index: where each member begins, and where the last one ends (48 bits each). At the end of the pack stands the trailer: size of each and place of its index (48
 * bits each), the magic, a CRC-32 of these.
 */
export const blockBytes = 256 * 1024
export const fileKinds = ['raw', 'times', 'err'] as const
export type FileKind = (typeof fileKinds)[number]
const packedKinds = [...fileKinds, 'places'] as const
export type PackedKind = (typeof packedKinds)[number]

/** Where a file stands in the pack. */
export interface PackedPart {
  sizeBytes: number
  indexAt: number
}

export const numberBytes = 6
const magic = 'muxdpack'
const trailerBytes = packedKinds.length * 2 * numberBytes + magic.length + 4

export function packTrailer(parts: Record<PackedKind, PackedPart>): Buffer {
  const trailer = Buffer.alloc(trailerBytes)
  packedKinds.forEach((kind, index) => {
    trailer.writeUIntLE(parts[kind].sizeBytes, index * 2 * numberBytes, numberBytes)
    trailer.writeUIntLE(parts[kind].indexAt, (index * 2 + 1) * numberBytes, numberBytes)
  })
  trailer.write(magic, trailerBytes - 4 - magic.length, 'latin1')
  trailer.writeUInt32LE(crc32(trailer.subarray(0, -4)), trailerBytes - 4)
  return trailer
}

/**
 * One file of a pack. A damaged member reads as zeros, and without its trailer a pack as empty files: what was read is
 * compared with the checksums of the raw log by whoever reads it.
 */
export function openPacked(path: string, kind: PackedKind): KeptFile {
  const fd = openSync(path, 'r')
  const { sizeBytes, indexAt } = partOf(fd, kind)
  let block: Buffer = Buffer.alloc(0)
  let blockNumber = -1

  const load = (number: number) => {
    if (number === blockNumber) return
    block = readBlock(fd, indexAt + number * numberBytes, Math.min(blockBytes, sizeBytes - number * blockBytes))
    blockNumber = number
  }
  return {
    read(into, length, position) {
      const end = Math.min(position + length, sizeBytes)
      let at = position
      while (at < end) {
        const number = Math.floor(at / blockBytes)
        load(number)
        const start = number * blockBytes
        at += block.copy(into, at - position, at - start, end - start)
      }
      return Math.max(0, at - position)
    },
    sizeBytes: () => sizeBytes,
    close: () => closeSync(fd),
  }
}

function partOf(fd: number, kind: PackedKind): PackedPart {
  const trailer = bytesAt(fd, fstatSync(fd).size - trailerBytes, trailerBytes)
  if (trailer === undefined || crc32(trailer.subarray(0, -4)) !== trailer.readUInt32LE(trailerBytes - 4)) {
    return { sizeBytes: 0, indexAt: 0 }
  }
  const at = packedKinds.indexOf(kind) * 2 * numberBytes
  return {
    sizeBytes: trailer.readUIntLE(at, numberBytes),
    indexAt: trailer.readUIntLE(at + numberBytes, numberBytes),
  }
}

function readBlock(fd: number, entryAt: number, sizeBytes: number): Buffer {
  const zeros = Buffer.alloc(sizeBytes)
  const entry = bytesAt(fd, entryAt, 2 * numberBytes)
  if (entry === undefined) return zeros
  const start = entry.readUIntLE(0, numberBytes)
  const length = entry.readUIntLE(numberBytes, numberBytes) - start
  // Never larger than what it holds, but for gzip's own few bytes: anything else is a damaged index.
  const member = length > 0 && length < 2 * blockBytes ? bytesAt(fd, start, length) : undefined
  if (member === undefined) return zeros
  try {
    const bytes = gunzipSync(member, { maxOutputLength: blockBytes })
    return bytes.length === sizeBytes ? bytes : zeros
  } catch {
    return zeros
  }
}

/** All of it or nothing. */
function bytesAt(fd: number, position: number, length: number): Buffer | undefined {
  if (position < 0) return undefined
  const bytes = Buffer.allocUnsafe(length)
  return readSync(fd, bytes, 0, length, position) === length ? bytes : undefined
}
