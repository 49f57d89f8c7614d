import { constants, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { InputClosed } from './pty-host.ts'

/** The writing end of a process's stdin. */
export interface Input {
  writeLine(line: string): Promise<void>
  end(): Promise<void>
  /** Closes the input at once. Rejects lines that the kernel has not taken. */
  destroy(): void
}

/**
 * Opens the FIFO as soon as the process has it open for reading. Rejects with the file system's error if the FIFO
 * cannot be opened, and with an `AbortError` when the signal aborts.
 */
export async function connectInput(path: string, signal: AbortSignal): Promise<Input> {
  return createInput(await openWhenThere(() => tryOpen(path), signal))
}

/**
 * Calls `open` until it returns a descriptor. Rejects with the error of `open`, and with an `AbortError` (whose `cause`
 * is the signal's reason) when the signal aborts.
 */
export async function openWhenThere(open: () => number | undefined, signal: AbortSignal): Promise<number> {
  for (let waitMs = 1; ; waitMs = Math.min(waitMs * 1.5, 20)) {
    const fd = open()
    if (fd !== undefined) return fd
    await delay(waitMs, undefined, { signal })
  }
}

// Without a reader, a blocking open would occupy one of the few threads of the pool; a non-blocking open fails instead.
function tryOpen(path: string): number | undefined {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENXIO') return undefined
    throw error
  }
}

// A socket on the FIFO writes in order and without blocking. It gets EPIPE when the last reader closes, even in the
// middle of a line.
function createInput(fd: number): Input {
  const socket = new Socket({ fd, readable: false, writable: true })
  const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
  let last = Promise.resolve()
  let ending = false
  let cause: Error | undefined
  socket.on('error', error => (cause = error))

  const destroy = () => {
    cause ??= new Error('the process was released')
    socket.destroy()
  }

  return {
    writeLine(line) {
      if (ending || cause) return Promise.reject(new InputClosed('the input has been closed', { cause }))
      const written = new Promise<void>((resolve, reject) => {
        socket.write(`${line}\n`, error => {
          // The callback of a write that `destroy` interrupts gets no error.
          const reason = error ?? cause
          if (reason) reject(new InputClosed('the process does not read its input any more', { cause: reason }))
          else resolve()
        })
      })
      last = written.catch(() => {})
      return written
    },
    async end() {
      ending = true
      await last
      socket.destroy()
      await closed
    },
    destroy,
  }
}
