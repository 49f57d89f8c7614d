import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { limits } from '../../protocol/limits.ts'

/**
 * Reads the stderr of a process from a FIFO and keeps the end of it in a file, so that a process can write without
 * limit. It reads even while the raw log cannot be written, so the process never blocks on stderr.
 */
export interface StderrTail {
  /** Starts to read. The command must have opened the FIFO: without a writer, the FIFO would be at its end. */
  follow(): void
  /** Writes the tail to the file when the command has ended, before the exit record can be read. Drops later bytes. */
  finish(): void
  close(): void
}

/** The delay between a read and the write of the file, so that a flood costs one write per interval. */
const writeAfterMs = 100

/** `reader` is the FIFO's reading end; `close` closes it. Throws, and closes it, if the file cannot be created. */
export function createStderrTail(file: string, reader: number): StderrTail {
  const kept = openKept(file, reader)
  let tail: Buffer = Buffer.alloc(0)
  let socket: Socket | undefined
  let timer: NodeJS.Timeout | undefined
  let isFinished = false
  let isClosed = false

  const write = () => {
    timer = undefined
    try {
      writeSync(kept, tail, 0, tail.length, 0)
    } catch {
      // The disk may be full. The next write, or the last one, retries.
    }
  }
  const take = (chunk: Buffer) => {
    if (isFinished) return
    tail = Buffer.concat([tail, chunk.subarray(-limits.maxStderrBytes)]).subarray(-limits.maxStderrBytes)
    timer ??= setTimeout(write, writeAfterMs).unref()
  }

  return {
    follow() {
      socket = new Socket({ fd: reader, readable: true, writable: false })
      socket.on('data', take)
      // Only bytes that cannot be read are lost.
      socket.on('error', () => {})
    },
    finish() {
      if (isFinished) return
      // The FIFO still holds the last bytes of the command.
      if (socket && !socket.destroyed) for (const chunk of chunksThere(reader)) take(chunk)
      isFinished = true
      clearTimeout(timer)
      write()
    },
    close() {
      if (isClosed) return
      isClosed = true
      clearTimeout(timer)
      if (socket) socket.destroy()
      else closeSync(reader)
      closeSync(kept)
    },
  }
}

function openKept(file: string, reader: number): number {
  try {
    return openSync(file, 'wx', 0o600)
  } catch (error) {
    closeSync(reader)
    throw error
  }
}

/** Opens the reading end, which the writer waits for. Returns undefined while the FIFO does not exist. */
export function openStderr(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** The capacity of a FIFO. Bytes that other processes continue to write are not read beyond it. */
const maxPipeBytes = 1024 * 1024

function* chunksThere(fd: number): Generator<Buffer> {
  const buffer = Buffer.alloc(limits.maxStderrBytes)
  for (let total = 0; total < maxPipeBytes; ) {
    let length: number
    try {
      length = readSync(fd, buffer)
    } catch {
      // EAGAIN: the FIFO is empty.
      return
    }
    if (length === 0) return
    total += length
    yield Buffer.from(buffer.subarray(0, length))
  }
}
