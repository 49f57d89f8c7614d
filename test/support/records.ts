import type { Approval, Run, Session } from '../../protocol/index.ts'
import type { JournalEntry } from '../../daemon/store/journal/entry.ts'
import type { ActRow, EventRow, StoredApproval, StoredProcess, StoredRun } from '../../daemon/store/store.ts'

/** Records with the fewest fields that the schema allows, for facts that a test does not depend on. */
export function session(id: string, fields: Partial<Session> = {}): Session {
  return {
    session: id,
    title: '',
    cwd: '/',
    state: 'idle',
    process: null,
    agent: 'claude',
    options: {},
    conversationId: null,
    labels: {},
    head: 0,
    costUsd: 0,
    createdAt: 1,
    updatedAt: 1,
    usedAt: 1,
    lastRun: null,
    ...fields,
  }
}

export function run(id: string, ofSession: string, fields: Partial<Run> = {}): StoredRun {
  const record: Run = {
    run: id,
    session: ofSession,
    state: 'running',
    position: null,
    prompt: 'hello',
    origin: { client: 'c_1', name: 'test' },
    firstSeq: 1,
    lastSeq: null,
    startedAt: 1,
    endedAt: null,
    result: null,
    ...fields,
  }
  return { run: record, promptUuid: `uuid of ${id}` }
}

export function approval(id: string, ofSession: string, fields: Partial<Approval> = {}): StoredApproval {
  const record: Approval = {
    approval: id,
    session: ofSession,
    run: 'r_1',
    kind: 'tool',
    tool: 'Write',
    input: { file_path: '/a.txt' },
    toolUseId: `use of ${id}`,
    state: 'pending',
    requestedAt: 1,
    expiresAt: null,
    ...fields,
  }
  return { approval: record, process: 'p_1', requestId: `request of ${id}`, answer: null }
}

export function processOf(ofSession: string, id: string, fields: Partial<StoredProcess> = {}): StoredProcess {
  return {
    id,
    session: ofSession,
    nonce: 'nonce',
    pid: 1,
    startedAt: 1,
    offset: 0,
    costUsdBefore: 0,
    counterUsdBefore: 0,
    counterUsd: 0,
    resumed: false,
    firstSeq: 1,
    conversationIdBefore: null,
    raw: 'kept',
    frames: null,
    oneShot: false,
    translator: null,
    endedAt: null,
    ...fields,
  }
}

export function event(seq: number, fields: Partial<EventRow> & { delta?: string } = {}): EventRow {
  const { delta = '', run: ofRun = null, type = 'assistant_text', process = null, offset = null } = fields
  const text = fields.text ?? JSON.stringify({ seq, time: 1, run: ofRun, type, delta })
  return { seq, run: ofRun, type, text, process, offset }
}

/** Returns the events `from` to `to`, both included. */
export function events(from: number, to: number, fields?: Parameters<typeof event>[1]): EventRow[] {
  return Array.from({ length: to - from + 1 }, (_, index) => event(from + index, fields))
}

/** Returns the acts `from` to `to`, both included. */
export function acts(from: number, to: number, at: ActRow['at'] = null): ActRow[] {
  return Array.from({ length: to - from + 1 }, (_, index) => {
    const n = from + index
    return { n, time: n * 10, at, act: JSON.stringify({ act: 'used', n }) }
  })
}

/** Returns a journal entry that throws if it cannot be stored. */
export function entry(ofSession: string, rows: EventRow[], fields: Partial<JournalEntry> = {}): JournalEntry {
  return {
    session: ofSession,
    events: rows,
    durable: false,
    onFailed: error => {
      throw error
    },
    ...fields,
  }
}
