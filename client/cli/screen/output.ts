import { once } from 'node:events'
import { fstatSync } from 'node:fs'
import { isatty } from 'node:tty'
import picocolors from 'picocolors'
import type { Colors } from 'picocolors/types.js'
import { harmlessJson } from '../../text/harmless.ts'
import { harmlessLine } from './text.ts'
import { wrapStyled } from './wrap.ts'

const { createColors } = picocolors

/** Whether a stream is a terminal that can move its cursor. */
export const isTerminal = (stream: NodeJS.WriteStream & { fd: number }): boolean =>
  isatty(stream.fd) && process.env['TERM'] !== 'dumb'

/**
 * Returns the colours for a stream: none without a terminal, unless the environment says otherwise (NO_COLOR,
 * FORCE_COLOR).
 */
export function colorsFor(stream: NodeJS.WriteStream & { fd: number }): Colors {
  const { NO_COLOR, FORCE_COLOR } = process.env
  return createColors(!NO_COLOR && (Boolean(FORCE_COLOR) || isTerminal(stream)))
}

/** Prints a value as one line of JSON. Resolves when the stream can take more. */
export const printJson = (value: unknown): Promise<void> => print(jsonLine(value))

/** Returns the JSON of a value. Characters that a terminal would interpret or hide are escaped. */
export const jsonLine = (value: unknown): string => harmlessJson(JSON.stringify(value))

export const print = (line: string): Promise<void> => write(process.stdout, `${harmlessLine(line)}\n`)

/** The columns of standard output; Infinity without a terminal. */
export const columnsOfOutput = (): number => (process.stdout.isTTY ? process.stdout.columns : Infinity)

/** Prints a sentence for people, wrapped between words on a terminal. */
export const printWrapped = (line: string): Promise<void> =>
  write(process.stdout, `${wrapStyled(harmlessLine(line), columnsOfOutput())}\n`)

/** Prints a message for people on standard error. */
export const say = (line: string): void => void process.stderr.write(`${harmlessLine(line)}\n`)

export async function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  if (!stream.write(text)) await once(stream, 'drain')
}

/** Whether both streams are the same file, pipe or terminal (`2>&1`). */
export function areOneFile(one: { fd: number }, other: { fd: number }): boolean {
  try {
    const [first, second] = [fstatSync(one.fd), fstatSync(other.fd)]
    return first.dev === second.dev && first.ino === second.ino
  } catch {
    return false
  }
}

let onReaderLeft = () => {}

/**
 * Calls `act` when the reader closes standard output (`| head`), before the program ends. Returns the release function.
 */
export function whenReaderLeaves(act: () => void): () => void {
  onReaderLeft = act
  return () => (onReaderLeft = () => {})
}

/** Ends the program with code 0 when the reader of its output has gone. */
export function endWithReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      if (stream === process.stdout) onReaderLeft()
      process.exit(0)
    })
  }
}
