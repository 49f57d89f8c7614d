import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import type { OutputLine } from '../../daemon/agents/agent.ts'
import { fixture, recordings } from '../claude-output/support/replay.ts'
import { linesOf, logAfter, logOf } from '../support/recorded-session.ts'

/**
 * Compares the log of a session for each recording byte by byte: without a cancel, and with a cancel at a third and at
 * two thirds of the output. A session that continues from a snapshot at three quarters must write the same rest.
 * `UPDATE_SESSION_GOLDENS=1` stores the logs of the current code as the expected ones.
 */
const update = process.env['UPDATE_SESSION_GOLDENS'] === '1'
const file = fixture('session-goldens.json')

/** `marks` has a few characters of a hash for each group of `every` events. They show where a difference begins. */
interface Golden {
  events: number
  sha256: string
  every: number
  marks: string
}

const goldens = (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}) as Record<string, Golden>
const written: Record<string, Golden> = {}
const markLength = 3
const maxMarks = 400
const cancels = ['without a cancel', 'with a cancel at a third', 'with a cancel at two thirds'] as const

describe.each(recordings)('the log of a session that reads %s', name => {
  const lines = linesOf(name)
  const snapshotAt = endOfLine(lines, Math.floor((lines.length * 3) / 4))

  it.each([
    [cancels[0], -1],
    [cancels[1], Math.floor(lines.length / 3)],
    [cancels[2], Math.floor((lines.length * 2) / 3)],
  ])('matches the stored hash %s', (what, cancelAt) => {
    const { texts, snapshot } = logOf(lines, cancelAt, snapshotAt)
    const title = `${name} ${what}`
    if (update) written[title] = goldenOf(texts)
    else expectGolden(texts, title)
    expect(logAfter(snapshot!, lines)).toEqual(texts.slice(snapshot!.seq))
  })
})

describe('the stored hashes', () => {
  it('are three for each recording, and there are no others', () => {
    if (update) return
    const titles = recordings.flatMap(name => cancels.map(what => `${name} ${what}`))
    expect(Object.keys(goldens).toSorted()).toEqual(titles.toSorted())
  })
})

afterAll(() => {
  if (update) writeFileSync(file, `${JSON.stringify(written, undefined, 1)}\n`)
})

/** Returns the index of the last frame of a line. Frames that were glued together share the offset of their line. */
function endOfLine(lines: readonly OutputLine[], at: number): number {
  const next = lines.findIndex(({ offset }, index) => index > at && offset !== lines[at]?.offset)
  return next < 0 ? lines.length - 1 : next - 1
}

function expectGolden(texts: readonly string[], title: string): void {
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

function goldenOf(texts: readonly string[], every = Math.ceil(texts.length / maxMarks)): Golden {
  const groups = Array.from({ length: Math.ceil(texts.length / every) }, (_, index) =>
    texts.slice(index * every, (index + 1) * every),
  )
  const marks = groups.map(group => hash(group, 'base64url').slice(0, markLength)).join('')
  return { events: texts.length, sha256: hash(texts, 'hex'), every, marks }
}

const hash = (texts: readonly string[], encoding: 'hex' | 'base64url') =>
  createHash('sha256').update(texts.join('\n')).digest(encoding)
