import { checksumOf, isSound } from '../sqlite/checksum.ts'
import { isDamage } from '../sqlite/errors.ts'
import { originalText } from '../sqlite/exact-text.ts'
import type { Sqlite } from '../sqlite/sqlite.ts'
import { actContext } from './act-table.ts'
import { eventKey } from './event-key.ts'
import { eventContext } from './event-table.ts'

interface LiveProcess {
  number: number
  id: string
  session: number
  nonce: string
  started_at: number
  first_seq: number
  one_shot: number
  resumed: number
  claude_session_before: string | null
  cost_usd_before: number
  counter_usd_before: number
}

interface EventRow {
  place: number
  process: number | null
  offset: number | null
  text: string
  crc: number | null
}

interface RunRow {
  prompt_uuid: string | null
  record: string
}

/** Members of the events from which decisions are read. */
interface Event
  extends Partial<Record<'prompt' | 'reason' | 'mode' | 'step' | 'approval' | 'decision' | 'message', string>> {
  seq: number
  time: number
  run: string | null
  type: string
  by?: object
  origin?: object
  failure?: object
  limit?: string
  value?: number
}

interface Act {
  act: string
  time: number
  at: number | null
}

/**
 * Makes the acts of each session's live process from the stored events. This migrates a database of an earlier muxd,
 * which stored no acts and derived decisions from their events. The acts that queued and started the first run precede
 * the beginning of the process, so that they are complete. If the events are damaged, makes no acts: recovery then has
 * only the records. Returns the function that stores the acts.
 */
export function makeActsOfEvents(db: Sqlite): () => void {
  const live = db.prepare<[], LiveProcess>(
    `SELECT number, id, session, nonce, started_at, first_seq, one_shot, resumed, claude_session_before,
       cost_usd_before, counter_usd_before
     FROM processes WHERE number IN (
       SELECT max(number) FROM processes WHERE ended_at IS NULL AND session IN (SELECT number FROM sessions) GROUP BY session)`,
  )
  const insert = db.prepare<[number, number, string | null, number | null, string, number]>(
    'INSERT INTO acts (key, time, process, offset, act, crc) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const setNewest = db.prepare<[number, number]>('UPDATE sessions SET newest_act = ? WHERE number = ?')
  const found = live.all().map(process => ({ process, acts: actsOf(db, process) }))
  const store = ({ process, acts }: (typeof found)[number]) => {
    for (const [index, { act, time, at }] of acts.entries()) {
      const key = eventKey(process.session, index + 1)
      const id = at === null ? null : process.id
      insert.run(key, time, id, at, act, checksumOf(act, actContext(key, time, id, at)))
    }
    setNewest.run(acts.length, process.session)
  }
  return () => found.forEach(store)
}

/** Returns the decisions since the process began: the events that were not derived from a line of its output. */
function actsOf(db: Sqlite, process: LiveProcess): Act[] {
  const events = db.prepare<[number, number], EventRow>(
    'SELECT place, process, offset, text, crc FROM events WHERE place >= ? AND place < ? ORDER BY place',
  )
  const run = db.prepare<[string], RunRow>('SELECT prompt_uuid, record FROM runs WHERE id = ?')
  const acts: Act[] = []
  let at: number | null = null
  const read = ({ place, process: source, offset, text, crc }: EventRow) => {
    if (source === process.number) at = offset
    else if (isSound(crc, text, eventContext(place, source, offset))) {
      const event = JSON.parse(text) as Event
      for (const act of decisionsOf(event)) acts.push({ act: JSON.stringify(act), time: event.time, at })
    }
    return true
  }
  const decisionsOf = (event: Event): object[] => {
    if (event.type !== 'run_started') return decisionOf(event, db)
    const row = run.get(event.run ?? '')
    // A run that Claude Code began itself is derived from a line.
    if (!row || row.prompt_uuid === null) return []
    const { limits } = JSON.parse(row.record) as { limits?: object }
    const { run: id, prompt, origin: by } = event
    const queued = { act: 'queued', run: id, promptUuid: row.prompt_uuid, prompt, ...(limits && { limits }), by }
    const started = [queued, { act: 'started', run: id }]
    return event.seq === process.first_seq
      ? [...started, begun(process, { run: id, ...(limits && { limits }) })]
      : started
  }
  try {
    events.scan(read, eventKey(process.session, process.first_seq), eventKey(process.session + 1, 0))
  } catch (error) {
    if (isDamage(error) || error instanceof SyntaxError) return []
    throw error
  }
  return acts
}

/** Returns the decision behind an event that was not derived from a line; empty if there is none. */
function decisionOf({ type, run, ...event }: Event, db: Sqlite): object[] {
  switch (type) {
    case 'cancel_requested': {
      const { by, reason, mode = 'interrupt' } = event
      return [{ act: 'cancel', run, by, mode, ...(reason !== undefined && { reason }) }]
    }
    case 'limit_reached':
      return [{ act: 'limit', run, reached: { limit: event.limit, value: event.value } }]
    case 'cancel_escalated':
      return [{ act: 'escalated', run, step: event.step }]
    case 'approval_resolved': {
      const { approval, decision, by, message } = event
      const answer = db.value<[string], string | null>('SELECT answer FROM approvals WHERE id = ?').get(approval ?? '')
      const decided = { decision, ...(by && { by }), ...(message !== undefined && { message }) }
      return [{ act: 'resolved', approval, resolution: { ...decided, answer: answer ? JSON.parse(answer) : null } }]
    }
    case 'failed':
      return [{ act: 'ended', run, cause: 'refused', failure: event.failure }]
    case 'interrupted':
      return [{ act: 'ended', run, cause: 'lost', reason: event.reason }]
    case 'cancelled':
      return [{ act: 'ended', run, cause: 'unsent' }]
    default:
      return []
  }
}

const begun = (process: LiveProcess, run: { run: string | null; limits?: object }): object => ({
  act: 'process_begun',
  process: process.id,
  nonce: process.nonce,
  ...run,
  launch: {
    claudeSessionId: process.claude_session_before && originalText(process.claude_session_before),
    costUsd: process.cost_usd_before,
    counterUsd: process.counter_usd_before,
    resumed: process.resumed !== 0,
  },
  oneShot: process.one_shot !== 0,
})
