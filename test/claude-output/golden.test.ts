import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { EventBody } from '../../protocol/index.ts'
import { fixture, largeRecordings, ofType, readRecording, recordings, replay } from './support/replay.ts'

/**
 * Compares the events of every recording of the real CLI with reviewed files. `UPDATE_GOLDEN=1` rewrites the files. New
 * files must be reviewed against the recordings before they are committed.
 */
const update = process.env['UPDATE_GOLDEN'] === '1'

describe('a recording of the real CLI', () => {
  test.each(recordings)('gives the reviewed events: %s', name => {
    const { events } = replay([readRecording(name)])
    const text = largeRecordings.includes(name) ? summary(events) : jsonLines(events)
    const path = fixture(`golden/${name}.jsonl`)
    if (update) writeFileSync(path, text)
    expect(text).toBe(readFileSync(path, 'utf8'))
  })

  test.each(recordings)('%s gives byte-equal events when it is read again', name => {
    const bytes = readRecording(name)
    expect(jsonLines(replay([bytes]).events)).toBe(jsonLines(replay([bytes]).events))
  })
})

const jsonLines = (events: readonly EventBody[]) => events.map(event => `${JSON.stringify(event)}\n`).join('')

/** Returns counts by type, hashes of all events and of all text, and in full the events that are not deltas. */
function summary(events: readonly EventBody[]): string {
  const counts: Record<string, number> = {}
  for (const { type } of events) counts[type] = (counts[type] ?? 0) + 1
  const sha256 = createHash('sha256').update(jsonLines(events)).digest('hex')
  const text = events.map(event => (event.type === 'assistant_text' ? event.delta : '')).join('')
  const hash = createHash('sha256').update(text).digest('hex')
  const about = { counts, sha256, textLength: text.length, textSha256: hash }
  const few = events.filter(({ type }) => !['assistant_text', 'thinking', 'done'].includes(type))
  const done = ofType(events, 'done').map(({ response, transcript }) => ({
    responseLength: response.length,
    transcriptLength: transcript.length,
  }))
  return [about, ...few, ...done].map(line => `${JSON.stringify(line)}\n`).join('')
}
