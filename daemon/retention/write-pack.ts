import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import {
  blockBytes,
  type FileKind,
  fileKinds,
  numberBytes,
  openPacked,
  packTrailer,
  type PackedKind,
  type PackedPart,
} from '../holder/pack.ts'
import type { ProcessFiles } from '../holder/process-files.ts'

const compress = promisify(gzip)

/**
 * Packs the files of a process that has ended, as `holder/pack.ts` describes it, off the event loop. The pack has its
 * name once it is whole, has been compared with the files and is on the disk: then these may go. Rejects with the
 * signal's reason where it is aborted before.
 */
export async function writePack(files: ProcessFiles, places: Buffer, signal: AbortSignal): Promise<void> {
  const draft = packDraft(files)
  await rm(draft, { force: true })
  try {
    const pack = await open(draft, 'wx', 0o600)
    try {
      await fill(pack, files, places, signal)
      await pack.sync()
    } finally {
      await pack.close()
    }
    for (const kind of fileKinds) await compare(draft, kind, files[kind], signal)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
  await rename(draft, files.pack)
  await syncDirectory(dirname(files.pack))
}

/** What a pack is called until it is whole. */
export const packDraft = (files: ProcessFiles): string => `${files.pack}.draft`

async function fill(pack: FileHandle, files: ProcessFiles, places: Buffer, signal: AbortSignal): Promise<void> {
  let position = 0
  const append = async (bytes: Buffer) => {
    await pack.write(bytes, 0, bytes.length, position)
    position += bytes.length
  }
  const appendPart = async (blocks: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<PackedPart> => {
    const begins = [position]
    let sizeBytes = 0
    for await (const block of blocks) {
      signal.throwIfAborted()
      await append(await compress(block))
      begins.push(position)
      sizeBytes += block.length
    }
    const indexAt = position
    const index = Buffer.alloc(begins.length * numberBytes)
    begins.forEach((begin, number) => index.writeUIntLE(begin, number * numberBytes, numberBytes))
    await append(index)
    return { sizeBytes, indexAt }
  }
  const parts = {} as Record<PackedKind, PackedPart>
  for (const kind of fileKinds) parts[kind] = await appendPart(blocksOf(files[kind]))
  parts.places = await appendPart(blocksIn(places))
  await append(packTrailer(parts))
}

/** Read as it will be read: what goes is only what can be had back. */
async function compare(pack: string, kind: FileKind, path: string, signal: AbortSignal): Promise<void> {
  const packed = openPacked(pack, kind)
  try {
    const bytes = Buffer.allocUnsafe(blockBytes)
    let position = 0
    for await (const block of blocksOf(path)) {
      signal.throwIfAborted()
      const length = packed.read(bytes, block.length, position)
      if (!bytes.subarray(0, length).equals(block)) throw new Error(`${pack} does not hold what ${path} holds`)
      position += length
    }
    if (packed.sizeBytes() !== position) throw new Error(`${pack} holds more than ${path}`)
  } finally {
    packed.close()
  }
}

/** A file that is missing has none. The buffer is used again for the next block. */
async function* blocksOf(path: string): AsyncGenerator<Buffer> {
  const file = await openIfThere(path)
  if (!file) return
  try {
    const block = Buffer.allocUnsafe(blockBytes)
    for (let position = 0; ; ) {
      let length = 0
      for (let read = -1; read !== 0 && length < blockBytes; length += read) {
        read = (await file.read(block, length, blockBytes - length, position + length)).bytesRead
      }
      if (length === 0) return
      yield block.subarray(0, length)
      position += length
    }
  } finally {
    await file.close()
  }
}

function* blocksIn(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += blockBytes) yield bytes.subarray(at, at + blockBytes)
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
