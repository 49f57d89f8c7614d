// The chain from a process's bytes to the subscribers' sockets, built as in the daemon, with the store or without.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { limits } from '../../protocol/limits.ts'
import { claude } from '../../daemon/agents/claude/agent.ts'
import type { OutputLine } from '../../daemon/agents/agent.ts'
import { decodeLine } from '../../daemon/agents/claude/frame/frame.ts'
import { createLineSplitter } from '../../daemon/pty-host/lines.ts'
import type { RunningServer } from '../../daemon/server/start-server.ts'
import { createEntries } from '../../daemon/sessions/interpreter/entries.ts'
import { gather, rowAfter } from '../../daemon/sessions/interpreter/gathering.ts'
import { beginProcess } from '../../daemon/sessions/machine/fold/process-record.ts'
import { createMachine } from '../../daemon/sessions/machine/machine.ts'
import type { Records } from '../../daemon/sessions/machine/project.ts'
import { restState } from '../../daemon/sessions/machine/fold/state.ts'
import { step } from '../../daemon/sessions/machine/step.ts'
import { newLiveProcess } from '../../daemon/sessions/machine/volatile.ts'
import { begunOf } from '../../daemon/sessions/recovery/stored-facts.ts'
import { createJournal, type Journal } from '../../daemon/store/journal/journal.ts'
import type { JournalEntry } from '../../daemon/store/journal/entry.ts'
import type { Publisher } from '../../daemon/store/journal/publish.ts'
import { openStore } from '../../daemon/store/open.ts'
import type { StoredProcess } from '../../daemon/store/store.ts'
import { createHub } from '../../daemon/topics/delivery/hub.ts'
import { createPublisher } from '../../daemon/topics/publisher.ts'
import { createTopics } from '../../daemon/topics/topics.ts'
import { processOf, session as sessionRecord } from '../support/records.ts'
import { startBenchServer } from './bench-server.ts'
import { serveParent } from './child.ts'

export type StoringCommand =
  | { do: 'start' }
  /** Answered with `Chained` once all is written to the sockets. */
  | { do: 'run'; isStored: boolean; turns: number; framesPerTurn: number }

export interface Chained {
  head: number
  cpuUsPerEvent: number
}

/** The session of each way: one is stored, the other only published. */
export const sessionOf = (isStored: boolean) => (isStored ? 's_stored' : 's_published')

const day = 24 * 60 * 60 * 1_000
const patience = { cancelGraceMs: day, resultGraceMs: day, idleCloseMs: day, unattendedMs: day, backgroundWaitMs: day }
const dir = mkdtempSync(join(tmpdir(), 'muxd-bench-'))
const store = openStore(join(dir, 'muxd.db'), { ballastBytes: 0 })
const topics = createTopics({ store, instance: 'bench', processesDir: dir, agents: new Map([['claude', claude]]) })
const hub = createHub({ lookup: topics.lookup, limits })
const publisher = createPublisher({ ...topics, hub, now: Date.now })
const ways = new Map([true, false].map(isStored => [isStored, openChain(isStored)]))
let server: RunningServer

function openChain(isStored: boolean) {
  const session = sessionOf(isStored)
  const process = processOf(session, `p_${session}`)
  store.sessions.add(sessionRecord(session))
  store.processes.save(process)
  topics.logs.open(session)
  const fail = (error: unknown) => {
    throw error
  }
  const journal = isStored ? createJournal(store, publisher) : publishing(publisher)
  const state = restState(sessionRecord(session))
  beginProcess(claude, state, { ...begunOf(process, undefined), n: 0, time: 1, at: null })
  const m = createMachine(claude, state, patience, 'nonce')
  m.v.process = { ...newLiveProcess(process.id, 'live'), pid: process.pid }
  const entries = createEntries({
    context: { journal: journal as Journal, onPublished() {} },
    session,
    isNew: false,
    committed() {},
  })
  const splitter = createLineSplitter()
  let records: Records | undefined
  let row: StoredProcess | undefined = process
  return {
    get head() {
      return state.head
    },
    read(chunk: Buffer) {
      const lines: OutputLine[] = []
      let end = 0
      for (const { bytes, endOffset: offset } of splitter.push(chunk)) {
        for (const decoded of decodeLine(bytes)) lines.push({ ...decoded, offset, time: 1 })
        end = offset
      }
      const input = { input: 'output', process: process.id, lines, offset: end, time: 1 } as const
      const before = { process: state.process, row, records }
      const gathering = gather(m, before, input, step(m, input), 'bench')
      entries.store({ gathering, records, answers: [], onCommitted() {}, onFailed: fail })
      records = gathering.records
      row = rowAfter(gathering, row)
    },
  }
}

/** A journal that publishes its entries and stores nothing. */
function publishing({ sessionEvents }: Publisher): Pick<Journal, 'append'> {
  let pending: JournalEntry[] = []
  const flush = () => {
    for (const { session, events } of pending.splice(0)) if (events.length > 0) sessionEvents(session, events)
  }
  return {
    append(entry) {
      if (pending.length === 0) setImmediate(flush)
      pending.push(entry)
    },
  }
}

async function perform(command: StoringCommand): Promise<object> {
  return command.do === 'start' ? start() : run(command)
}

async function start(): Promise<{ port: number }> {
  server = await startBenchServer(hub, topics.lookup)
  return { port: server.port }
}

async function run({ isStored, turns, framesPerTurn }: StoringCommand & { do: 'run' }): Promise<Chained> {
  const chain = ways.get(isStored)!
  const chunk = Buffer.from(frame.repeat(framesPerTurn))
  const before = { head: chain.head, cpu: process.cpuUsage() }
  for (let turn = 0; turn < turns; turn++) {
    chain.read(chunk)
    await nextTurn()
  }
  // Wait for the last commit, its publication and its writes.
  for (let turn = 0; turn < 3; turn++) await nextTurn()
  const { user, system } = process.cpuUsage(before.cpu)
  const { head } = chain
  return { head, cpuUsPerEvent: (user + system) / (head - before.head) }
}

const nextTurn = () => new Promise(resolve => setImmediate(resolve))

/** About 300 bytes, like most frames that Claude Code prints. */
const frame = `${JSON.stringify({
  type: 'stream_event',
  event: { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'a few words of text ' } },
  session_id: '11111111-1111-4111-8111-111111111111',
  parent_tool_use_id: null,
  uuid: '22222222-2222-4222-8222-222222222222',
  ttft_ms: null,
})}\n`

serveParent(perform, async () => {
  await server.close({ code: 4000, reason: 'the benchmark is over' })
  store.close()
  rmSync(dir, { recursive: true })
})
