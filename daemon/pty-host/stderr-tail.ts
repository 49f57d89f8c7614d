import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { limits } from '../../protocol/limits.ts'

/**
 * Reads the stderr of a process from a FIFO and keeps the end of it in a file, so that a process can write without end.
 * It is always read, also while the raw log cannot be written: the process never blocks on it.
 */
export interface StderrTail {
  /** Begins to read. The command has its end of the FIFO open by then: without a writer it would be at its end. */
  follow(): void
  /** The command has ended: writes what it said to the file, before the exit record can be read. What comes later does not count. */
  finish(): void
  close(): void
}

/** The file is written so long after something was read: a flood costs one write for all of it. */
const writeAfterMs = 100

/** `reader` is the reading end of the FIFO, and is closed with this one. Throws when the file cannot be made. */
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
      // A full disk: written with what comes next, or at the end.
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
      // Nothing is lost but what cannot be read.
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

/** The reading end; undefined as long as there is no FIFO. The writer waits for it. */
export function openStderr(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** As much as a FIFO can hold: what others that have it open go on to write is not waited for. */
const maxPipeBytes = 1024 * 1024

function* chunksThere(fd: number): Generator<Buffer> {
  const buffer = Buffer.alloc(limits.maxStderrBytes)
  for (let total = 0; total < maxPipeBytes; ) {
    let length: number
    try {
      length = readSync(fd, buffer)
    } catch {
      // EAGAIN: it is empty.
      return
    }
    if (length === 0) return
    total += length
    yield Buffer.from(buffer.subarray(0, length))
  }
}
