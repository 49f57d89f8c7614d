import type { Colors } from 'picocolors/types.js'
import type { Run, Session } from '../../sdk/index.ts'
import { sessionName } from '../../text/session-name.ts'
import { age, shortPath, table, usd } from './format.ts'
import { silentAfterMs } from './run-facts.ts'
import { oneLine } from '../screen/text.ts'

/** A session with the runs that determine its state. */
export interface SessionRow {
  session: Session
  /** Its latest run. */
  last?: Run | undefined
  /** The active run. */
  active?: Run | undefined
  /** By position. */
  queued: readonly Run[]
}

export interface SessionTableOptions {
  columns: number
  now: number
  colors: Colors
}

/** Renders sessions, one in each line. */
export function sessionLines(rows: readonly SessionRow[], { columns, now, colors }: SessionTableOptions): string[] {
  const shown = fields.filter(({ from = 0 }) => columns >= from)
  const cells = rows.map(row => shown.map(({ cell }) => cell(row, now)))
  const states = rows.map(row => stateOf(row))
  const stateColumn = shown.findIndex(({ name }) => name === 'STATE')
  const paint = (text: string, column: number, row: number) => {
    if (row === 0) return colors.dim(text)
    if (column !== stateColumn) return text
    return colorOf(states[row - 1]!, colors)(text)
  }
  const elastic = shown.findIndex(({ name }) => name === 'ABOUT')
  return table(
    shown.map(({ name }) => name),
    cells,
    columns,
    elastic,
    { paint },
  )
}

interface Field {
  name: string
  /** The column is omitted on screens with fewer columns. */
  from?: number
  cell(row: SessionRow, now: number): string
}

const fields: Field[] = [
  { name: 'SESSION', cell: ({ session }) => session.session },
  { name: 'LAST RUN', from: 140, cell: ({ session }) => session.lastRun ?? '-' },
  { name: 'STATE', cell: row => stateOf(row) },
  { name: 'QUEUE', from: 70, cell: ({ queued }) => (queued.length > 0 ? String(queued.length) : '-') },
  { name: 'AGE', from: 55, cell: ({ session }, now) => age(now - session.usedAt) },
  { name: 'COST', from: 70, cell: ({ session }) => usd(session.costUsd) },
  { name: 'ABOUT', from: 50, cell: ({ session }) => oneLine(sessionName(session)) },
  { name: 'DIRECTORY', from: 140, cell: ({ session }) => oneLine(shortPath(session.cwd)) },
]

/**
 * Returns the state in one or two words. A silent run counts as running, because only the length of its silence is
 * known.
 */
function stateOf({ session, last, active, queued }: SessionRow): string {
  if (session.unusable) return 'unusable'
  if (session.state === 'waiting') return 'waits: approval'
  if (active?.state === 'cancelling') return 'cancelling'
  if (active) {
    const silentMs = active.activity?.silentMs ?? 0
    return silentMs < silentAfterMs ? 'running' : `silent ${age(silentMs)}`
  }
  const [next] = queued
  if (next) return next.waitingFor ? `waits: ${next.waitingFor}` : 'queued'
  return session.state === 'idle' && last ? last.state : session.state
}

function colorOf(state: string, colors: Colors): (text: string) => string {
  if (state === 'running' || state.startsWith('silent')) return colors.cyan
  if (state.startsWith('waits') || state === 'queued' || state === 'cancelling') return colors.yellow
  if (state === 'failed' || state === 'interrupted' || state === 'unusable') return colors.red
  return state === 'done' ? colors.green : colors.dim
}
