import { afterAll, describe, expect, it } from 'vitest'
import { recordings } from '../claude-output/support/replay.ts'
import { linesOf, logAfter, logOf } from '../support/recorded-session.ts'
import { endOfLine, expectGolden, type Golden, goldenOf, goldens, writeGoldens } from '../support/session-goldens.ts'

/**
 * Compares the log of a session for each recording byte by byte: without a cancel, and with a cancel at a third and at
 * two thirds of the output. A session that continues from a snapshot at three quarters must write the same rest.
 * `UPDATE_SESSION_GOLDENS=1` stores the logs of the current code as the expected ones.
 */
const update = process.env['UPDATE_SESSION_GOLDENS'] === '1'
const written: Record<string, Golden> = {}
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
  if (update) writeGoldens(written)
})
