import { once } from 'node:events'
import { fstatSync } from 'node:fs'
import { isatty } from 'node:tty'
import picocolors from 'picocolors'
import type { Colors } from 'picocolors/types.js'
import { harmlessJson } from '../text/harmless.ts'
import { harmlessLine } from './render/text.ts'
import { wrapStyled } from './render/wrap.ts'

const { createColors } = picocolors

/** Whether a stream is a terminal that may be drawn on. */
export const isTerminal = (stream: NodeJS.WriteStream & { fd: number }): boolean =>
  isatty(stream.fd) && process.env['TERM'] !== 'dumb'

/** Colours for a stream: only on a terminal, unless the environment says otherwise (NO_COLOR, FORCE_COLOR). */
export function colorsFor(stream: NodeJS.WriteStream & { fd: number }): Colors {
  const { NO_COLOR, FORCE_COLOR } = process.env
  return createColors(!NO_COLOR && (Boolean(FORCE_COLOR) || isTerminal(stream)))
}

/** One value, one line. Waits while the reader is slow. */
export const printJson = (value: unknown): Promise<void> => print(jsonLine(value))

/** The JSON of a value. What a terminal would act on, or hide, is escaped. */
export const jsonLine = (value: unknown): string => harmlessJson(JSON.stringify(value))

export const print = (line: string): Promise<void> => write(process.stdout, `${harmlessLine(line)}\n`)

/** Columns of standard output; Infinity without a terminal. */
export const columnsOfOutput = (): number => (process.stdout.isTTY ? process.stdout.columns : Infinity)

/** A sentence for people: on a terminal it is wrapped between words. */
export const printWrapped = (line: string): Promise<void> =>
  write(process.stdout, `${wrapStyled(harmlessLine(line), columnsOfOutput())}\n`)

/** For people, beside what the program is asked for. */
export const say = (line: string): void => void process.stderr.write(`${harmlessLine(line)}\n`)

export async function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  if (!stream.write(text)) await once(stream, 'drain')
}

/** Whether both are the same file, pipe or terminal (`2>&1`). */
export function areOneFile(one: { fd: number }, other: { fd: number }): boolean {
  try {
    const [first, second] = [fstatSync(one.fd), fstatSync(other.fd)]
    return first.dev === second.dev && first.ino === second.ino
  } catch {
    return false
  }
}

let onReaderLeft = () => {}

/** What to say on standard error when standard output is closed by its reader (`| head`). Returns the release. */
export function whenReaderLeaves(act: () => void): () => void {
  onReaderLeft = act
  return () => (onReaderLeft = () => {})
}

/** Ends the program with 0 when the reader of the output has gone. */
export function endWithReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      if (stream === process.stdout) onReaderLeft()
      process.exit(0)
    })
  }
}
