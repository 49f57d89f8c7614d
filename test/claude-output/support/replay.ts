import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { decodeLine } from '../../../daemon/agents/claude/frame/frame.ts'
import { createLineSplitter, parseExitRecord } from '../../../daemon/pty-host/lines.ts'
import { createTranslator, type TranslatorOptions } from './translator.ts'
import type { EventBody } from '../../../protocol/index.ts'

export const fixture = (path: string) => fileURLToPath(new URL(`../../fixtures/${path}`, import.meta.url))

/** The names of the recordings of the real CLI in a PTY: `text`, `text.partial`, `live-turns`, … */
export const recordings = readdirSync(fixture('recordings'))
  .filter(file => /\.raw(\.gz)?$/.test(file))
  .map(file => file.replace(/\.raw(\.gz)?$/, ''))
  .sort()

/** Recordings with very many deltas. They are compressed, and their golden file is a summary. */
export const largeRecordings: readonly string[] = readdirSync(fixture('recordings'))
  .filter(file => file.endsWith('.gz'))
  .map(file => file.replace(/\.raw\.gz$/, ''))

export function readRecording(name: string): Buffer {
  if (largeRecordings.includes(name)) return gunzipSync(readFileSync(fixture(`recordings/${name}.raw.gz`)))
  return readFileSync(fixture(`recordings/${name}.raw`))
}

/** The nonce of the exit records in the recordings. */
export const recordedNonce = 'EXIT'

export interface Replay {
  /** The events of frames and of unparsed lines, as a session would log them. `time` counts the frames. */
  events: EventBody[]
  frames: unknown[]
  exitStatus: number | null
}

/** Passes bytes of a raw log through splitter, decoder and translator. Each chunk is the result of one read. */
export function replay(chunks: Iterable<Buffer>, options: TranslatorOptions = {}): Replay {
  const splitter = createLineSplitter()
  const translator = createTranslator(options)
  const result: Replay = { events: [], frames: [], exitStatus: null }
  const take = (bytes: Buffer) => {
    for (const decoded of decodeLine(bytes)) {
      if ('unparsed' in decoded) {
        result.events.push({ type: 'unparsed', ...decoded.unparsed })
        continue
      }
      result.frames.push(decoded.frame)
      result.events.push(...translator.frame(decoded.frame, result.frames.length))
    }
  }
  for (const chunk of chunks) {
    for (const { bytes } of splitter.push(chunk)) {
      const record = parseExitRecord(bytes, recordedNonce)
      take(record ? record.before : bytes)
      if (!record) continue
      result.exitStatus = record.status
      return result
    }
  }
  take(splitter.rest())
  return result
}

/** Translates frames that are given as objects. */
export function translate(frames: readonly unknown[], options: TranslatorOptions = {}): EventBody[] {
  const translator = createTranslator(options)
  return frames.flatMap((frame, at) => translator.frame(frame, at + 1))
}

export type EventOfType<Type extends EventBody['type']> = Extract<EventBody, { type: Type }>

export function ofType<Type extends EventBody['type']>(events: readonly EventBody[], type: Type): EventOfType<Type>[] {
  return events.filter((event): event is EventOfType<Type> => event.type === type)
}

/** Returns the frames of a hand-written JSONL fixture. */
export function readFrames(name: string): unknown[] {
  return readFileSync(fixture(`frames/${name}.jsonl`), 'utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line))
}
