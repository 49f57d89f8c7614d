import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { OutputLine } from '../../daemon/agents/agent.ts'
import { fixture } from '../claude-output/support/replay.ts'

/** The expected log of a session for each recording: `test/fixtures/session-goldens.json`. */
const file = fixture('session-goldens.json')

/** `marks` has three characters of a hash for each group of `every` events, so that a difference can be located. */
export interface Golden {
  events: number
  sha256: string
  every: number
  marks: string
}

export const goldens = (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}) as Record<string, Golden>
const markLength = 3
const maxMarks = 400

export const writeGoldens = (written: Record<string, Golden>) =>
  writeFileSync(file, `${JSON.stringify(written, undefined, 1)}\n`)

/**
 * Returns the index of the last frame in the line of the frame at `at`. Frames that were glued together are one line.
 */
export function endOfLine(lines: readonly OutputLine[], at: number): number {
  const next = lines.findIndex(({ offset }, index) => index > at && offset !== lines[at]?.offset)
  return next < 0 ? lines.length - 1 : next - 1
}

export function expectGolden(texts: readonly string[], title: string): void {
  const golden = goldens[title]
  const actual = goldenOf(texts, golden?.every)
  if (golden?.sha256 === actual.sha256) return
  if (!golden) throw new Error(`${title}: no log is stored`)
  const at = firstDifference(golden.marks, actual.marks)
  const from = at * golden.every
  const events = texts.slice(from, from + golden.every).map(text => text.slice(0, 2_000))
  throw new Error(
    `${title}: expected ${golden.events} events, got ${texts.length}; the first difference is among events ${from + 1} to ` +
      `${from + golden.every}, which are now\n${events.join('\n') || 'not there'}`,
  )
}

function firstDifference(expected: string, actual: string): number {
  let at = 0
  while (at < expected.length && expected[at] === actual[at]) at++
  return Math.floor(at / markLength)
}

export function goldenOf(texts: readonly string[], every = Math.ceil(texts.length / maxMarks)): Golden {
  const groups = Array.from({ length: Math.ceil(texts.length / every) }, (_, index) =>
    texts.slice(index * every, (index + 1) * every),
  )
  const marks = groups.map(group => hash(group, 'base64url').slice(0, markLength)).join('')
  return { events: texts.length, sha256: hash(texts, 'hex'), every, marks }
}

const hash = (texts: readonly string[], encoding: 'hex' | 'base64url') =>
  createHash('sha256').update(texts.join('\n')).digest(encoding)
