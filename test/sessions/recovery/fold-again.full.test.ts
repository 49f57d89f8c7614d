import { deserialize, serialize } from 'node:v8'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { claude } from '../../../daemon/agents/claude/agent.ts'
import type { OutputLine } from '../../../daemon/agents/agent.ts'
import { foldInto } from '../../../daemon/sessions/machine/fold/apply.ts'
import type { SessionState } from '../../../daemon/sessions/machine/fold/state.ts'
import { createComparison } from '../../../daemon/sessions/recovery/comparison.ts'
import type { EventRow } from '../../../daemon/store/store.ts'
import { recordings } from '../../claude-output/support/replay.ts'
import { continueFolded, foldedSession, type FoldedSession } from '../../support/folded-session.ts'
import { by, linesOf } from '../../support/recorded-session.ts'
import { testSeed } from '../../support/test-seed.ts'

type Act = (session: FoldedSession) => void

/** Requests an interrupt of the active run, then records the escalation to `SIGINT`. */
function cancel({ state: { active }, act }: FoldedSession) {
  if (active?.stored.run.state !== 'running') return
  const { run } = active.stored.run
  act({ act: 'cancel', run, by, mode: 'interrupt', reason: 'enough' }, 5)
  act({ act: 'escalated', run, step: 'sigint' }, 6)
}

/** Allows all open approvals. */
function answer({ state, act }: FoldedSession) {
  for (const { approval } of state.open) {
    const resolution = { decision: 'allow', by, answer: { behavior: 'allow' } } as const
    act({ act: 'resolved', approval: approval.approval, resolution }, 5)
  }
}

/** Makes the active run reach a limit. */
function limit({ state: { active }, act }: FoldedSession) {
  if (active?.stored.run.state !== 'running') return
  act({ act: 'limit', run: active.stored.run.run, reached: { limit: 'inactivityMs', value: 7 } }, 5)
}

function end({ state, act }: FoldedSession) {
  for (const run of [state.background, state.active])
    if (run) act({ act: 'ended', run: run.stored.run.run, cause: 'lost', reason: 'the test is over' })
}

/**
 * Restores the session from its acts, its output and its last snapshot, and compares the events with the stored rows.
 */
function again(
  { acts, rows }: { acts: FoldedSession['acts']; rows: readonly EventRow[] },
  lines: readonly OutputLine[],
  snapshot?: Uint8Array,
) {
  const state = snapshot ? (deserialize(snapshot) as SessionState) : foldedSession().state
  const { head, acts: applied } = state
  const from = state.process!.offset
  const comparison = createComparison(
    state,
    rows.filter(({ seq }) => seq > head),
  )
  const rest = lines.filter(({ offset }) => offset > from)
  const upTo = lines.at(-1)?.offset ?? 0
  const missed = acts.filter(({ n }) => n > applied)
  foldInto(comparison.sink, claude, state, missed, rest, upTo)
  return { session: continueFolded(state), differences: comparison.end() }
}

/** Returns the log of a session that one daemon reads, or two daemons one after the other. */
function logOf(
  lines: readonly OutputLine[],
  actAt: number,
  killAt = lines.length,
  act: Act = cancel,
  snapshotAt?: number,
): string[] {
  const first = foldedSession()
  first.prompt('the prompt')
  let snapshot: Uint8Array | undefined
  for (const [index, line] of lines.slice(0, killAt).entries()) {
    if (index === actAt) act(first)
    first.line(line)
    // All frames of a line are applied before anything else.
    if (index === snapshotAt && lines[index + 1]?.offset !== line.offset) snapshot = serialize(first.state)
  }
  if (killAt === lines.length) {
    end(first)
    return first.texts()
  }
  const { session, differences } = again({ acts: first.acts, rows: first.rows() }, lines.slice(0, killAt), snapshot)
  expect(differences).toEqual({ events: 0, firstSeq: 0 })
  for (const [index, line] of lines.entries()) {
    if (index < killAt) continue
    if (index === actAt) act(session)
    session.line(line)
  }
  end(session)
  return [...first.texts(), ...session.texts()]
}

/** Returns the index behind the line of the frame at `index`: a daemon is never killed within a line. */
function behindLine(lines: readonly OutputLine[], index: number): number {
  let at = index + 1
  while (at < lines.length && lines[at]!.offset === lines[index]!.offset) at++
  return at
}

/** Returns the index of the first frame in the line of the frame at `index`. */
const startOfLine = (lines: readonly OutputLine[], index: number) =>
  lines.findIndex(({ offset }) => offset === lines[index]!.offset)

describe('a session that the next daemon folds again', () => {
  const most = recordings.filter(name => !name.startsWith('manydeltas'))

  it.each(most)('has the same log wherever the daemon is killed: %s', name => {
    const lines = linesOf(name)
    const place = fc.nat({ max: lines.length - 1 })
    const places = fc.sample(fc.tuple(place, place), { numRuns: 4, seed: testSeed(20261121) })
    for (const [index, [at, killed]] of places.entries()) {
      const act = index % 2 === 0 ? cancel : limit
      const actAt = startOfLine(lines, at)
      expect(logOf(lines, actAt, behindLine(lines, killed), act)).toEqual(logOf(lines, actAt, undefined, act))
    }
  })

  it.each(most)('has the same log from a snapshot taken anywhere: %s', name => {
    const lines = linesOf(name)
    const place = fc.nat({ max: lines.length - 1 })
    const places = fc.sample(fc.tuple(place, place, place), { numRuns: 4, seed: testSeed(20261127) })
    for (const [index, each] of places.entries()) {
      const [snapshotAt, killed] = each.slice(1).sort((one, other) => one - other) as [number, number]
      const act = index % 2 === 0 ? cancel : limit
      const actAt = startOfLine(lines, each[0])
      const behind = behindLine(lines, killed)
      const at = behindLine(lines, snapshotAt) - 1
      expect(logOf(lines, actAt, behind, act, at)).toEqual(logOf(lines, actAt, undefined, act))
    }
  })

  it.each(['bgbash', 'live-background'])(
    'continues a turn of Claude Code itself from a snapshot within it: %s',
    name => {
      const lines = linesOf(name)
      const session = foldedSession()
      session.prompt('the prompt')
      const within = lines.flatMap((line, index) => {
        session.line(line)
        return session.state.background ? [index] : []
      })
      const at = behindLine(lines, within[within.length >> 1]!) - 1
      const nothing = () => {}
      expect(logOf(lines, 0, at + 1, nothing, at)).toEqual(logOf(lines, 0, undefined, nothing))
    },
  )

  it.each([
    ['live-deny', 'answered', answer],
    ['live-turns', 'answered', answer],
    ['live-turns', 'withdrawn by a cancel', cancel],
    ['live-turns', 'withdrawn by a limit', limit],
  ] as const)('has the same approvals wherever the daemon is killed: %s, %s', (name, _what, act) => {
    const lines = linesOf(name)
    const asked = 1 + lines.findIndex(line => 'frame' in line && line.frame['type'] === 'control_request')
    const whole = logOf(lines, asked, undefined, act)
    expect(whole.filter(text => text.includes('"approval_resolved"'))).toHaveLength(1)
    for (const killAt of [asked - 1, asked, asked + 1, asked + 2, lines.length - 1]) {
      expect(logOf(lines, asked, killAt, act)).toEqual(whole)
      expect(logOf(lines, asked, killAt, act, Math.min(asked - 1, killAt - 1))).toEqual(whole)
    }
  })
})

describe('the comparison of stored and derived events', () => {
  const lines = linesOf('bash.partial')
  const stored = () => {
    const session = foldedSession()
    session.prompt('the prompt')
    for (const line of lines) session.line(line)
    return { acts: session.acts, rows: session.rows() }
  }

  it('reports nothing if they are equal', () => {
    expect(again(stored(), lines).differences).toEqual({ events: 0, firstSeq: 0 })
  })

  it.each<[string, (rows: EventRow[]) => EventRow[]]>([
    [
      'a changed event',
      rows => rows.map(row => (row.seq === 9 ? { ...row, text: row.text.replace('"time"', '"Time"') } : row)),
    ],
    ['a dropped event', rows => rows.filter(({ seq }) => seq !== 9)],
    ['a doubled event', rows => rows.flatMap(row => (row.seq === 9 ? [row, row] : [row]))],
    ['two swapped events', rows => [...rows.slice(0, 8), rows[9]!, rows[8]!, ...rows.slice(10)]],
  ])('reports %s', (_fault, plant) => {
    const { acts, rows } = stored()
    expect(again({ acts, rows: plant(rows) }, lines).differences.events).toBeGreaterThan(0)
  })

  it('reports a missing line of output, from its first event on', () => {
    const whole = stored()
    const missing = lines.findIndex(({ offset }, index) => index > 4 && whole.rows.some(row => row.offset === offset))
    const { offset } = lines[missing]!
    const without = lines.filter(line => line.offset !== offset)
    const gone = whole.rows.find(row => row.offset === offset)
    expect(again(whole, without).differences).toMatchObject({ firstSeq: gone!.seq })
  })
})
