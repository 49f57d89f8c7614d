import { truncateSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { claude } from '../../../daemon/agents/claude/agent.ts'
import { createOutputReader } from '../../../daemon/pty-host/output.ts'
import type { Log } from '../../../daemon/log/log.ts'
import { chunksHeader } from '../../../daemon/pty-host/raw-chunks.ts'
import { openRawLog } from '../../../daemon/pty-host/raw-log.ts'
import { createEntries } from '../../../daemon/sessions/interpreter/entries.ts'
import { gather, rowAfter } from '../../../daemon/sessions/interpreter/gathering.ts'
import type { Input } from '../../../daemon/sessions/machine/input.ts'
import { createMachine } from '../../../daemon/sessions/machine/machine.ts'
import type { Records } from '../../../daemon/sessions/machine/project.ts'
import { restState, type SessionState } from '../../../daemon/sessions/machine/fold/state.ts'
import { step } from '../../../daemon/sessions/machine/step.ts'
import { restore } from '../../../daemon/sessions/recovery/restore.ts'
import { createSnapshots } from '../../../daemon/sessions/recovery/snapshots.ts'
import { readFacts } from '../../../daemon/sessions/recovery/stored-facts.ts'
import { createJournal } from '../../../daemon/store/journal/journal.ts'
import { openStore } from '../../../daemon/store/open.ts'
import type { StoredProcess } from '../../../daemon/store/store.ts'
import { appendToRawLog } from '../../support/raw-log.ts'
import { session } from '../../support/records.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { client, config } from '../machine/support/world.ts'

type Untimed = Input extends infer Each ? (Each extends Input ? Omit<Each, 'time'> : never) : never

/** A stored session whose process has the prompt of a run, with the machine that wrote it. */
function storedSession() {
  const processesDir = tempDir()
  const store = openStore(join(tempDir(), 'muxd.db'), { ballastBytes: 0 })
  onTestFinished(() => store.close())
  store.sessions.add(session('s_1'))
  const m = createMachine(claude, restState(session('s_1')), config, 'life')
  const journal = createJournal(store, { sessionEvents() {}, record() {} })
  const context = { journal, onPublished() {} }
  const entries = createEntries({ context, session: 's_1', isNew: false, committed() {} })
  const snapshots = createSnapshots(claude)
  let records: Records | undefined
  let row: StoredProcess | undefined
  let time = 1

  function take(untimed: Untimed) {
    time += 1
    const input = { ...untimed, time }
    const gathering = gather(m, { process: m.s.process, row, records }, input, step(m, input), 'this build')
    const { lines, begun } = gathering
    const snapshot = snapshots.take(m.s, { lines, begun, acts: gathering.acts.length })
    entries.store({
      gathering,
      records,
      answers: [],
      snapshot,
      onCommitted() {},
      onFailed(error) {
        throw error
      },
    })
    records = gathering.records
    row = rowAfter(gathering, row)
    journal.flush()
  }

  take({ input: 'enqueue', call: 1, run: 'r_1', promptUuid: 'uuid', prompt: 'hello', by: client(1) })
  take({ input: 'slot_granted' })
  const { id } = m.v.process!
  const launch = { claudeSessionId: null, costUsd: 0, counterUsd: 0, resumed: false }
  take({ input: 'prepared', process: id, nonce: 'nonce', launch, conversation: 'c', oneShot: false })
  const rawLog = join(processesDir, id)
  writeFileSync(`${rawLog}.raw`, '')
  writeFileSync(`${rawLog}.times`, chunksHeader(1))
  take({ input: 'started', process: id, pid: 1, startedAt: 1 })

  return {
    store,
    id,
    rawLog,
    state: m.s,
    take,
    /** Prints frames, and reads them as a daemon does. */
    print(...frames: object[]) {
      appendToRawLog(rawLog, frames.map(frame => `${JSON.stringify(frame)}\n`).join(''))
      const log = openRawLog(processesDir, id)
      const reader = createOutputReader(log, 'nonce', claude, m.s.process!.offset)
      for (let output = reader.read(); output; output = reader.read())
        take({ input: 'output', process: id, lines: output.lines, offset: output.offset })
      log.close()
    },
    restored(build = 'this build') {
      const told: object[] = []
      const log = { error: (_message: string, about: object) => void told.push(about) } as unknown as Log
      const facts = readFacts(store, 's_1')!
      return { ...restore({ store, agent: claude, build, processesDir, log }, facts), told }
    },
  }
}

const init = { type: 'system', subtype: 'init', tools: [], session_id: 'c', user_message_uuids: ['uuid'] }
const text = (id: string) => ({
  type: 'assistant',
  uuid: id,
  session_id: 'c',
  message: { id, content: [{ type: 'text', text: `text ${id}` }] },
})

/** Reduces the queue to run ids, because only the stored records of queued runs have positions. */
const comparable = (state: SessionState) => ({ ...state, queue: state.queue.map(({ run }) => run.run) })

/** Output, a cancel in the middle of it, and more output. */
function working() {
  const stored = storedSession()
  stored.print(init, text('one'))
  stored.take({ input: 'enqueue', call: 2, run: 'r_2', promptUuid: 'uuid 2', prompt: 'next', by: client(1) })
  stored.take({ input: 'cancel', call: 3, run: 'r_1', mode: 'interrupt', by: client(2) })
  stored.print(text('two'))
  return stored
}

describe('a session that is restored from what is stored', () => {
  it('is in the same state if its snapshot is from the beginning of its process', () => {
    const { state, restored } = working()
    const { damage, needsSnapshot, told, ...found } = restored()
    expect(comparable(found.state)).toEqual(comparable(state))
    expect({ damage, needsSnapshot, told }).toEqual({ damage: undefined, needsSnapshot: false, told: [] })
  })

  it('is in the same state without a snapshot, and needs a new one', () => {
    const { id, state, store, restored } = working()
    store.snapshots.delete(id)
    const { damage, needsSnapshot, ...found } = restored()
    expect(comparable(found.state)).toEqual(comparable(state))
    expect({ damage, needsSnapshot }).toEqual({ damage: undefined, needsSnapshot: true })
  })

  it('reports missing output, and takes the unfinished runs from the tables', () => {
    const { rawLog, restored } = working()
    truncateSync(`${rawLog}.raw`, statSync(`${rawLog}.raw`).size - 20)
    const { damage, needsSnapshot, state, told } = restored()
    expect(damage?.bytes).toBeGreaterThan(0)
    expect([needsSnapshot, told.length]).toEqual([true, 1])
    expect(state.active?.stored.run).toMatchObject({ run: 'r_1', state: 'cancelling' })
    expect(state.queue.map(({ run }) => run.run)).toEqual(['r_2'])
  })

  it('does not compare events that another program derived', () => {
    const { store, state, restored } = working()
    const facts = readFacts(store, 's_1')!
    store.processes.save({ ...facts.row!, translator: 'another build' })
    const found = restored()
    expect(found.damage).toBeUndefined()
    expect(comparable(found.state)).toEqual(comparable(state))
  })

  it('has the runs and the queue from the tables if it has no process', () => {
    const stored = storedSession()
    stored.take({ input: 'enqueue', call: 2, run: 'r_2', promptUuid: 'uuid 2', prompt: 'next', by: client(1) })
    stored.take({ input: 'exited', process: stored.id, status: 1, stderrTail: '', lost: false })
    expect(readFacts(stored.store, 's_1')?.row).toBeUndefined()
    const { state } = stored.restored()
    expect(state.process).toBeNull()
    expect(state.queue.map(({ run }) => run.run)).toEqual(['r_2'])
    expect(state.head).toBe(stored.state.head)
  })
})
