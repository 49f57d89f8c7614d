import { deserialize, serialize } from 'node:v8'
import { afterAll, describe, expect, it } from 'vitest'
import { claude } from '../../../daemon/agents/claude/agent.ts'
import type { OutputLine } from '../../../daemon/agents/agent.ts'
import type { Act, StoredAct } from '../../../daemon/sessions/machine/fold/act.ts'
import { applyAct, fold } from '../../../daemon/sessions/machine/fold/apply.ts'
import { applyLine } from '../../../daemon/sessions/machine/fold/output.ts'
import { type Emitted, noFacts, sinkOf } from '../../../daemon/sessions/machine/fold/sink.ts'
import { restState, type SessionState } from '../../../daemon/sessions/machine/fold/state.ts'
import { recordings } from '../../claude-output/support/replay.ts'
import { by, linesOf, promptsIn } from '../../support/recorded-session.ts'
import { run as runRecord, session } from '../../support/records.ts'
import { endOfLine, expectGolden, type Golden, goldenOf, goldens, writeGoldens } from '../../support/session-goldens.ts'

const update = process.env['UPDATE_SESSION_GOLDENS'] === '1'
const written: Record<string, Golden> = {}
const cancels = ['without a cancel', 'with a cancel at a third', 'with a cancel at two thirds'] as const

/**
 * Compares the log of a session for each recording byte by byte: without a cancel, and with a cancel at a third and at
 * two thirds of the output. A fold of a snapshot at three quarters and the rest derives the same rest.
 * `UPDATE_SESSION_GOLDENS=1` stores the logs of the current code as the expected ones.
 */
describe.each(recordings)('the fold of %s', name => {
  const lines = linesOf(name)
  const snapshotAt = endOfLine(lines, Math.floor((lines.length * 3) / 4))

  it.each([
    [cancels[0], -1],
    [cancels[1], Math.floor(lines.length / 3)],
    [cancels[2], Math.floor((lines.length * 2) / 3)],
  ])('gives the stored log %s, whole and from a snapshot', (what, cancelAt) => {
    const whole = play(lines, cancelAt, snapshotAt)
    const title = `${name} ${what}`
    if (update) written[title] = goldenOf(whole.texts)
    else expectGolden(whole.texts, title)

    const { bytes, head, acts, offset } = whole.snapshot!
    const state = deserialize(bytes) as SessionState
    const rest = lines.filter(line => line.offset > offset)
    const events = fold(
      claude,
      state,
      whole.acts.filter(({ n }) => n > acts),
      rest,
    )
    expect(events.map(textOf)).toEqual(whole.texts.slice(head))
    expect(state).toEqual(whole.state)
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

interface Played {
  texts: string[]
  acts: StoredAct[]
  state: SessionState
  snapshot?: { bytes: Uint8Array; head: number; acts: number; offset: number }
}

const queued = (id: string, promptUuid: string) => ({
  ...runRecord(id, 's_1', { state: 'queued', prompt: 'the prompt', origin: by, startedAt: null }),
  promptUuid,
})

/** Starts a run for each prompt in the recording, cancels before the line `cancelAt`, and ends the remaining runs. */
function play(lines: readonly OutputLine[], cancelAt: number, snapshotAt: number): Played {
  const prompts = promptsOf(lines)
  const s = restState(session('s_1'), prompts)
  const facts = noFacts()
  const sink = sinkOf(s, facts)
  const acts: StoredAct[] = []
  const act = (what: Act, time: number) => {
    const at = s.process && { process: s.process.id, offset: s.process.offset }
    const stored: StoredAct = { ...what, n: s.acts + 1, time, at }
    acts.push(stored)
    applyAct(claude, s, stored, sink)
  }
  const launch = { claudeSessionId: null, costUsd: 0, counterUsd: 0, resumed: false }
  act({ act: 'process_begun', process: 'p_1', nonce: 'n', run: 'r_1', launch, oneShot: false }, 1)
  act({ act: 'started', run: 'r_1' }, 2)
  const played: Played = { texts: [], acts, state: s }
  for (const [index, line] of lines.entries()) {
    const { active } = s
    if (index === cancelAt && active?.stored.run.state === 'running') {
      const id = active.stored.run.run
      act({ act: 'cancel', run: id, by, mode: 'interrupt', reason: 'enough' }, 5)
      act({ act: 'escalated', run: id, step: 'sigint' }, 6)
    }
    if (!s.active && promptsIn(line).length > 0) act({ act: 'started', run: `r_${line.offset}` }, line.time)
    applyLine(claude, s, line, sink)
    if (index === snapshotAt) played.snapshot = { bytes: serialize(s), head: s.head, acts: s.acts, offset: line.offset }
  }
  for (const each of [s.background, s.active])
    if (each) act({ act: 'ended', run: each.stored.run.run, cause: 'lost', reason: 'the test is over' }, 1)
  played.texts = facts.events.map(textOf)
  return played
}

/** Returns the runs that are queued before the first line: one for each prompt in the `init` of a turn. */
const promptsOf = (lines: readonly OutputLine[]) => [
  queued('r_1', lines.flatMap(promptsIn)[0] ?? 'no name'),
  ...lines.flatMap(line => promptsIn(line).map(prompt => queued(`r_${line.offset}`, prompt))),
]

function textOf({ seq, time, run, body }: Emitted): string {
  // The stored logs have this event's fields in the order of `recorded-session.ts`; the daemon puts the reason first.
  const { type, by: who, mode, reason } = body as { [field: string]: unknown }
  const fields = body.type === 'cancel_requested' ? { type, by: who, mode, reason } : body
  return JSON.stringify({ seq, time, run, ...fields })
}
