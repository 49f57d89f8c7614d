import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { claude } from '../../../daemon/agents/claude/agent.ts'
import type { LiveRun } from '../../../daemon/sessions/machine/fold/live-run.ts'
import type {
  AnsweredQuestion,
  ProcessState,
  SessionState,
  StoredApproval,
} from '../../../daemon/sessions/machine/fold/state.ts'
import { createSnapshots, readSnapshot, versionOf } from '../../../daemon/sessions/recovery/snapshots.ts'
import { continueFolded } from '../../support/folded-session.ts'
import { readable, sampleSessions, shapeOf } from '../../support/sample-states.ts'

/**
 * Snapshots as daemons of this version store them, one file for each version of the state. A daemon resumes from the
 * snapshots of its version, whichever program has stored them. So a change of the state needs another version:
 *
 * 1. Raise `stateVersion` (machine/state.ts), or `decoderVersion` of the agent if only its decoder has changed.
 * 2. Let `sampleSessions` (test/support/sample-states.ts) fill each new field.
 * 3. `UPDATE_SNAPSHOT_SAMPLE=1 npx vitest run --project quick test/sessions/recovery/stored-snapshot.test.ts` stores
 * the sample of the new version. Delete the file of the version before.
 */
const version = versionOf(claude)
const directory = new URL('../../fixtures/snapshots/', import.meta.url)
const name = `${version.replaceAll('/', '-')}.json`
const file = new URL(name, directory)

interface StoredSample {
  title: string
  /** The snapshot as the database has it, in base64. */
  memory: string
  seq: number
  acts: number
  offset: number
  /** The state that it has to load to. */
  state: unknown
}

if (process.env['UPDATE_SNAPSHOT_SAMPLE'] === '1') {
  if (existsSync(file)) throw new Error(`${name} exists: raise the version of the state first`)
  writeFileSync(file, `${JSON.stringify(sampleSessions().map(sampleOf), null, 2)}\n`)
}

function sampleOf({ title, session: { state } }: ReturnType<typeof sampleSessions>[number]): StoredSample {
  const applied = { lines: 0, acts: 0, begun: true }
  const { memory, seq, acts, offset } = createSnapshots(claude).take(state, applied)!
  return { title, memory: Buffer.from(memory).toString('base64'), seq, acts, offset, state: readable(state) }
}

const stored = JSON.parse(readFileSync(file, 'utf8')) as StoredSample[]

/** The state in a stored sample, read as a restart reads it. */
function load({ memory, seq, acts, offset }: StoredSample): SessionState {
  const row = { process: 'p_1', version, seq, acts, offset, memory: Buffer.from(memory, 'base64') }
  const process = { id: 'p_1', offset } as Parameters<typeof readSnapshot>[1]
  return readSnapshot({ get: () => row }, process, { version, head: seq, acts })!.state
}

describe('a stored snapshot of this version', () => {
  it('exists, and is the only one', () => {
    expect(readdirSync(directory)).toEqual([name])
    expect(stored.map(({ title }) => title)).toEqual(sampleSessions().map(({ title }) => title))
  })

  it.each(stored.map(each => [each.title, each] as const))('of %s loads to the expected state', (_title, each) => {
    expect(readable(load(each))).toEqual(each.state)
  })

  it('has the shape of the current state (a new shape needs a new version)', () => {
    const shapes = (states: SessionState[]) => [...new Set(states.flatMap(shapeOf))].toSorted()
    const today = shapes(sampleSessions().map(({ session }) => session.state))
    expect(today).toEqual(shapes(stored.map(load)))
  })

  it.each(sampleSessions().map((sample, at) => [sample.title, sample, stored[at]!] as const))(
    'of %s continues as the state of today does',
    (_title, { session, rest }, sample) => {
      const before = session.texts().length
      rest(session)
      const continued = continueFolded(load(sample))
      rest(continued)
      expect(continued.texts()).toEqual(session.texts().slice(before))
      expect(continued.texts().length).toBeGreaterThan(0)
      expect(readable(continued.state)).toEqual(readable(session.state))
    },
  )

  it('has each field of the types of the state', () => {
    const states = stored.map(load)
    const runs = states.flatMap(({ active, background }) => [active, background]).filter(run => run !== null)
    const has = (values: object[]) => [...new Set(values.flatMap(Object.keys))].toSorted()
    expect(has(states)).toEqual(Object.keys(fields.state).toSorted())
    expect(has(states.map(({ process }) => process!))).toEqual(Object.keys(fields.process).toSorted())
    expect(has(runs)).toEqual(Object.keys(fields.run).toSorted())
    expect(has(states.flatMap(({ open }) => open))).toEqual(Object.keys(fields.question).toSorted())
    expect(has(states.flatMap(({ answered }) => answered))).toEqual(Object.keys(fields.answered).toSorted())
  })
})

/** A new field of a type does not compile until it is named here. Then the samples must have it. */
const fields = {
  state: {
    version: 1,
    session: 1,
    closed: 1,
    head: 1,
    acts: 1,
    queue: 1,
    active: 1,
    background: 1,
    process: 1,
    open: 1,
    known: 1,
    answered: 1,
  } satisfies Record<keyof SessionState, 1>,
  process: {
    id: 1,
    nonce: 1,
    run: 1,
    limits: 1,
    launch: 1,
    oneShot: 1,
    offset: 1,
    decoder: 1,
    spoke: 1,
    tasks: 1,
    cause: 1,
    begunAt: 1,
    lastLineAt: 1,
    kept: 1,
    namesPrompts: 1,
    wasGivenRules: 1,
    replies: 1,
    heard: 1,
  } satisfies Record<keyof ProcessState, 1>,
  run: {
    stored: 1,
    costUsd: 1,
    tokens: 1,
    hasBegun: 1,
    hasArrived: 1,
    hasTurn: 1,
    answeredAt: 1,
    held: 1,
    cancel: 1,
    exceeded: 1,
    pursued: 1,
  } satisfies Record<keyof LiveRun, 1>,
  question: { approval: 1, process: 1, requestId: 1, answer: 1 } satisfies Record<keyof StoredApproval, 1>,
  answered: {
    approval: 1,
    run: 1,
    requestId: 1,
    toolUseId: 1,
    input: 1,
    answer: 1,
  } satisfies Record<keyof AnsweredQuestion, 1>,
}
