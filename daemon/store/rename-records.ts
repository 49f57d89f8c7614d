import { checksumOf, contextOf, isSound } from './sqlite/checksum.ts'
import { originalText } from './sqlite/exact-text.ts'
import type { Sqlite } from './sqlite/sqlite.ts'

type Fields = Record<string, unknown>
/** A stored JSON text with its checksum. `context` stands for the rest of its row. */
interface Stored {
  text: string
  crc: number | null
}

/**
 * Gives the stored records the names of protocol 2: sessions (`agent`, `options`, `conversationId`), queued runs
 * (`waitingFor: "slot"`), and the answers that are kept under keys. Events keep their names. A record that does not
 * match its checksum stays as it is, so that its damage is still reported. A second call changes nothing.
 */
export function renameRecords(db: Sqlite): void {
  renameSessions(db)
  renameRuns(db)
  renameAnswers(db)
}

function renameSessions(db: Sqlite): void {
  const next = db.prepare<[number], Stored & { number: number; id: string; state: string }>(
    'SELECT number, id, state, record AS text, crc FROM sessions WHERE number > ? ORDER BY number LIMIT 1',
  )
  const save = db.prepare<[string, number, number]>('UPDATE sessions SET record = ?, crc = ? WHERE number = ?')
  for (let row = next.get(-1); row; row = next.get(row.number)) {
    const { number, id, state } = row
    rename(row, contextOf(id, state), renamedSession, (text, crc) => save.run(text, crc, number))
  }
}

function renameRuns(db: Sqlite): void {
  const next = db.prepare<[number], Stored & { number: number; id: string; state: string; uuid: string | null }>(
    `SELECT number, id, state, prompt_uuid AS uuid, record AS text, crc FROM runs
     WHERE number > ? AND state = 'queued' ORDER BY number LIMIT 1`,
  )
  const save = db.prepare<[string, number, number]>('UPDATE runs SET record = ?, crc = ? WHERE number = ?')
  for (let row = next.get(-1); row; row = next.get(row.number)) {
    const { number, id, state, uuid } = row
    rename(row, contextOf(id, state, uuid), renamedRun, (text, crc) => save.run(text, crc, number))
  }
}

function renameAnswers(db: Sqlite): void {
  const next = db.prepare<[string], Stored & { key: string; method: string; hash: string; time: number }>(
    `SELECT key, method, params_hash AS hash, time, answer AS text, crc FROM requests
     WHERE key > ? ORDER BY key LIMIT 1`,
  )
  const save = db.prepare<[string, number, string]>('UPDATE requests SET answer = ?, crc = ? WHERE key = ?')
  for (let row = next.get(''); row; row = next.get(row.key)) {
    const { key, method, hash, time } = row
    const renamed = method === 'run.start' ? renamedRun : renamedSession
    if (!['run.start', 'session.create', 'session.fork'].includes(method)) continue
    const context = contextOf(originalText(key), method, hash, time)
    rename(row, context, renamed, (text, crc) => save.run(text, crc, key))
  }
}

function rename(
  { text, crc }: Stored,
  context: number,
  renamed: (record: Fields) => Fields,
  save: (text: string, crc: number) => void,
): void {
  if (!isSound(crc, text, context)) return
  const now = JSON.stringify(renamed(JSON.parse(text) as Fields))
  if (now !== text) save(now, checksumOf(now, context))
}

function renamedSession(record: Fields): Fields {
  const entries = Object.entries(record).flatMap(([name, value]): [string, unknown][] => {
    if (name === 'claude') {
      return [
        ['agent', 'claude'],
        ['options', value],
      ]
    }
    if (name === 'claudeSessionId') return [['conversationId', value]]
    return [[name, name === 'forkedFrom' ? renamedFork(value as Fields) : value]]
  })
  return Object.fromEntries(entries)
}

function renamedFork(forkedFrom: Fields): Fields {
  const { conversation } = forkedFrom as { conversation?: { claudeSessionId?: string } }
  if (conversation?.claudeSessionId === undefined) return forkedFrom
  const { claudeSessionId: conversationId, ...rest } = conversation
  return { ...forkedFrom, conversation: { conversationId, ...rest } }
}

const renamedRun = (record: Fields): Fields =>
  record['waitingFor'] === 'place' ? { ...record, waitingFor: 'slot' } : record
