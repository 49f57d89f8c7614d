import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { OutputLine } from '../../daemon/agents/agent.ts'
import { createRun, resumeRun } from '../../daemon/sessions/active-run.ts'
import { exceed } from '../../daemon/sessions/asked-end.ts'
import { storedEvents } from '../../daemon/sessions/history.ts'
import { replay } from '../../daemon/sessions/replay.ts'
import { createSnapshots, rememberedOf } from '../../daemon/sessions/snapshots.ts'
import { openStore } from '../../daemon/store/open.ts'
import type { EventRow, Store, StoredRun } from '../../daemon/store/store.ts'
import { recordings } from '../claude-output/support/replay.ts'
import { openConversation } from '../support/conversation.ts'
import { by, cancel, linesOf } from '../support/recorded-session.ts'
import { processOf, session as sessionRecord } from '../support/records.ts'
import { tempDir } from '../support/temp-dir.ts'
import { testSeed } from '../support/test-seed.ts'

const process = processOf('s_1', 'p_1')

function emptyStore(): Store {
  const store = openStore(join(tempDir(), 'muxd.db'), { ballastBytes: 0 })
  onTestFinished(() => store.close())
  store.sessions.add(sessionRecord('s_1'))
  store.processes.save(process)
  return store
}

/** Opens the writing half of a session over a store, as a daemon does. */
function openSession(store: Store) {
  const { recorder, conversation } = openConversation(store, process)
  return {
    recorder,
    conversation,
    read(lines: readonly OutputLine[], withSnapshot = false) {
      for (const line of lines) conversation.line(line, 'p_1')
      if (withSnapshot) {
        const snapshots = createSnapshots({ conversation, recorder, build: 'this', process, linesBetween: 1 })
        snapshots.read(1, lines.at(-1)!.offset)
      }
      recorder.commit()
    },
    end() {
      for (const run of [conversation.background, conversation.active]) {
        if (run) conversation.end(run, 'lost', 1, { lost: 'the test is over' })
      }
      recorder.commit()
    },
  }
}

type Opened = ReturnType<typeof openSession>

/** Allows all open approvals. */
function answer({ conversation, recorder }: Opened) {
  for (const question of conversation.questions.open) {
    conversation.questions.resolve(question, { decision: 'allow', by, answer: { behavior: 'allow' } }, 5)
  }
  recorder.commit()
}

/** Makes the active run reach a limit. */
function limit({ conversation, recorder }: Opened) {
  const run = conversation.active
  if (!run || run.stored.run.state !== 'running') return
  recorder.event({ type: 'limit_reached', limit: 'inactivityMs', value: 7 }, run.stored.run.run, 5)
  exceed(run, { limit: 'inactivityMs', value: 7 })
  conversation.end(run, 'limit_reached', 5)
  recorder.commit()
}

const rowsOf = (store: Store): EventRow[] => [...storedEvents(store, 's_1', 1)]

/** Continues from the last snapshot. Output before it is not read again. */
function again(store: Store, rows: Iterable<EventRow>, all: readonly OutputLine[]) {
  const session = openSession(store)
  const upTo = { ...process, offset: all.at(-1)?.offset ?? 0 }
  const remembered = rememberedOf(store.snapshots, upTo, { build: 'this', head: session.recorder.head })
  if (remembered) session.conversation.remember(remembered.memory)
  const lines = all.filter(({ offset }) => offset > (remembered?.offset ?? 0))
  const differences = replay({
    ...session,
    process: upTo,
    rows: [...rows].filter(({ seq }) => seq > (remembered?.seq ?? 0)),
    lines,
    runOf: run => store.runs.get(run),
  })
  return { session, differences }
}

/** Returns the log of a session that one daemon reads, or two daemons one after the other. */
function logOf(
  lines: readonly OutputLine[],
  queued: StoredRun,
  actAt: number,
  killAt?: number,
  act: (session: Opened) => void = cancel,
  snapshotAt?: number,
): string[] {
  const store = emptyStore()
  const first = openSession(store)
  first.conversation.begin(resumeRun(queued), 2)
  first.recorder.commit()
  const upTo = killAt ?? lines.length
  for (const [index, line] of lines.slice(0, upTo).entries()) {
    if (index === actAt) act(first)
    first.read([line], index === snapshotAt)
  }
  if (killAt === undefined) {
    first.end()
    return textsOf(store)
  }
  const { session, differences } = again(store, rowsOf(store), lines.slice(0, killAt))
  expect(differences).toBeUndefined()
  if (actAt >= killAt) {
    session.read(lines.slice(killAt, actAt))
    act(session)
  }
  session.read(lines.slice(Math.max(killAt, actAt)))
  session.end()
  return textsOf(store)
}

const textsOf = (store: Store): string[] => rowsOf(store).map(({ text }) => text)

const queuedRun = (): StoredRun => createRun('s_1', 'the prompt', by, 1).stored

describe('a session that the next daemon derives again', () => {
  it.each(recordings.filter(name => !name.startsWith('manydeltas')))(
    'has the same log wherever the daemon is killed: %s',
    name => {
      const lines = linesOf(name)
      const run = queuedRun()
      const place = fc.nat({ max: lines.length - 1 })
      const places = fc.sample(fc.tuple(place, place), { numRuns: 4, seed: testSeed(20261121) })
      for (const [index, [endAt, killAt]] of places.entries()) {
        const end = index % 2 === 0 ? cancel : limit
        expect(logOf(lines, run, endAt, killAt, end)).toEqual(logOf(lines, run, endAt, undefined, end))
      }
    },
  )

  it.each(recordings.filter(name => !name.startsWith('manydeltas')))(
    'has the same log from a snapshot taken anywhere: %s',
    name => {
      const lines = linesOf(name)
      const run = queuedRun()
      const place = fc.nat({ max: lines.length - 1 })
      const places = fc.sample(fc.tuple(place, place, place), { numRuns: 4, seed: testSeed(20261127) })
      for (const [index, each] of places.entries()) {
        const [snapshotAt, killAt] = each.slice(1).sort((one, other) => one - other) as [number, number]
        const end = index % 2 === 0 ? cancel : limit
        expect(logOf(lines, run, each[0], killAt + 1, end, snapshotAt)).toEqual(
          logOf(lines, run, each[0], undefined, end),
        )
      }
    },
  )

  it.each(['bgbash', 'live-background'])(
    'continues a turn of Claude Code itself from a snapshot within it: %s',
    name => {
      const lines = linesOf(name)
      const run = queuedRun()
      const { conversation, read } = openSession(emptyStore())
      conversation.begin(resumeRun(run), 2)
      const within = lines.flatMap((line, index) => {
        read([line])
        return conversation.background ? [index] : []
      })
      const at = within[within.length >> 1]!
      const nothing = () => {}
      expect(logOf(lines, run, 0, at + 1, nothing, at)).toEqual(logOf(lines, run, 0, undefined, nothing))
    },
  )

  it.each([
    ['live-deny', 'answered', answer],
    ['live-turns', 'answered', answer],
    ['live-turns', 'withdrawn by a cancel', cancel],
    ['live-turns', 'withdrawn by a limit', limit],
  ] as const)('has the same approvals wherever the daemon is killed: %s, %s', (name, _what, act) => {
    const lines = linesOf(name)
    const run = queuedRun()
    const asked = 1 + lines.findIndex(line => 'frame' in line && line.frame['type'] === 'control_request')
    const whole = logOf(lines, run, asked, undefined, act)
    expect(whole.filter(text => text.includes('"approval_resolved"'))).toHaveLength(1)
    for (const killAt of [asked - 1, asked, asked + 1, asked + 2, lines.length - 1]) {
      expect(logOf(lines, run, asked, killAt, act)).toEqual(whole)
      expect(logOf(lines, run, asked, killAt, act, Math.min(asked - 1, killAt - 1))).toEqual(whole)
    }
  })

  describe('the comparison of stored and derived events', () => {
    const lines = linesOf('bash.partial')
    const stored = () => {
      const store = emptyStore()
      const session = openSession(store)
      session.conversation.begin(resumeRun(queuedRun()), 2)
      session.read(lines)
      return { store, rows: rowsOf(store) }
    }

    it('reports nothing if they are equal', () => {
      const { store, rows } = stored()
      expect(again(store, rows, lines).differences).toBeUndefined()
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
      const { store, rows } = stored()
      expect(again(store, plant(rows), lines).differences).toMatchObject({ firstSeq: expect.any(Number) as number })
    })

    it('reports a missing line of output', () => {
      const { store, rows } = stored()
      const without = lines.filter((_line, index) => index !== 5)
      expect(again(store, rows, without).differences).toBeDefined()
    })
  })
})
