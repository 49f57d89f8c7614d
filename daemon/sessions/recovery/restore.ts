import { passThrowPoint } from '../../hook-points.ts'
import type { AgentCodec, DamagedLines, OutputLine } from '../../agents/agent.ts'
import type { StoredProcess, StoredRun } from '../../store/store.ts'
import { hasPrinted, printedBytes, printedLines, storedEvents } from './history.ts'
import type { Act, StoredAct } from '../machine/fold/act.ts'
import { foldInto } from '../machine/fold/apply.ts'
import { advance, resumeRun } from '../machine/fold/live-run.ts'
import { restState, type SessionState } from '../machine/fold/state.ts'
import type { SessionContext } from '../session-context.ts'
import { createComparison, damageOf, type Differences, uncomparedSink } from './comparison.ts'
import { reconcile } from './reconcile.ts'
import { type Reread, readSnapshot, versionOf } from './snapshots.ts'
import { begunOf, stateOfFacts, type StoredFacts } from './stored-facts.ts'

type Context = Pick<SessionContext, 'store' | 'build' | 'processesDir' | 'log'> & { agent: AgentCodec }

export interface Restored {
  state: SessionState
  reread: Reread
  /** A snapshot must be taken at once: none could be used, or damage was found. */
  needsSnapshot: boolean
  /** Parts of the raw log are damaged, or it does not give the stored events any more. */
  damage?: { bytes: number; detail: string }
}

/** The start of the fold. */
interface Base {
  state: SessionState
  acts: readonly StoredAct[]
  offset: number
  /**
   * `seq` of the first event that the fold derives. Null: the events are not compared, because another program derived
   * the stored ones or acts are missing. The stored events count.
   */
  firstSeq: number | null
  isSnapshot: boolean
  /** No act since the snapshot, or since the beginning of the process, is missing. */
  isWhole: boolean
}

/**
 * Restores the state of a session at its last stored entry. Starts at the last snapshot, or at the beginning of its
 * process, and applies the acts and lines since then. Compares the derived events with the stored ones, and reports
 * differences. Throws what the fold throws.
 */
export function restore(context: Context, facts: StoredFacts): Restored {
  const { agent, store, processesDir } = context
  const { row, record } = facts
  passThrowPoint('restored', record.session)
  if (!row) return { state: stateOfFacts(agent, facts), reread: { lines: 0, bytes: 0 }, needsSnapshot: false }
  const base = fromSnapshot(context, facts, row) ?? fromBeginning(context, facts, row)
  const { state, acts, offset, firstSeq } = base
  const damaged: DamagedLines[] = []
  const reread = { lines: 0, bytes: row.offset - offset }
  const lines = watched(printedLines(agent, processesDir, row, offset), reread, damaged)
  let differences: Differences = { events: 0, firstSeq: 0 }
  if (firstSeq === null) foldInto(uncomparedSink(state), agent, state, acts, lines, row.offset)
  else {
    const comparison = createComparison(state, storedEvents(store, record.session, firstSeq))
    foldInto(comparison.sink, agent, state, acts, lines, row.offset)
    differences = comparison.end()
  }
  const damage = damageOf(differences, damaged)
  if (damage) {
    const about = { session: record.session, process: row.id, ...differences, damaged }
    context.log.error('the output of a process does not give the stored events', about)
  }
  reconcile(state, facts, base.isWhole)
  return { state, reread, needsSnapshot: !base.isSnapshot || damage !== undefined, ...(damage && { damage }) }
}

function fromSnapshot({ agent, build, store, processesDir }: Context, facts: StoredFacts, row: StoredProcess) {
  // If a part of the raw log is gone, the output is read from its beginning, to find what is missing.
  if (row.offset > 0 && (!hasPrinted(processesDir, row) || printedBytes(processesDir, row) < row.offset))
    return undefined
  const { head, acts } = facts
  const snapshot = readSnapshot(store.snapshots, row, { version: versionOf(agent), head, acts })
  if (!snapshot || snapshot.state.process?.id !== row.id) return undefined
  const since = readActs(store, facts.record.session, snapshot.acts)
  if (!since) return undefined
  const { state, offset, seq } = snapshot
  return {
    state,
    offset,
    acts: since,
    firstSeq: row.translator === build ? seq + 1 : null,
    isSnapshot: true,
    isWhole: true,
  } satisfies Base
}

function fromBeginning({ build, store }: Context, facts: StoredFacts, row: StoredProcess): Base {
  const { session } = facts.record
  const before = { conversationId: row.conversationIdBefore, costUsd: row.costUsdBefore }
  const state = restState({ ...facts.record, ...before })
  const stored = readActs(store, session, store.acts.bounds(session).first - 1)
  // The tables already contain the effect of the acts before it in the same entry.
  const begunAt = stored?.findIndex(act => act.act === 'process_begun' && act.process === row.id) ?? -1
  const isWhole = begunAt >= 0
  const unfinished = facts.unfinished.find(({ run, promptUuid }) => run.state !== 'queued' && promptUuid !== null)
  const begun = { ...begunOf(row, unfinished), n: facts.acts, time: row.startedAt, at: null }
  const acts = isWhole ? stored!.slice(begunAt) : [begun]
  if (isWhole) seed(state, acts, id => store.runs.get(id))
  state.head = row.firstSeq - 1
  const isComparable = isWhole && row.translator === build
  return { state, acts, offset: 0, firstSeq: isComparable ? row.firstSeq : null, isSnapshot: false, isWhole }
}

/** Returns the acts behind `after`; undefined if one of them is damaged or gone. */
function readActs(store: Context['store'], session: string, after: number): StoredAct[] | undefined {
  try {
    return [...store.acts.read(session, after)].map(({ n, time, at, act }) => ({
      ...(JSON.parse(act) as Act),
      n,
      time,
      at,
    }))
  } catch {
    return undefined
  }
}

/** Adds the runs that were queued or started before the first of `acts`. */
function seed(s: SessionState, acts: readonly StoredAct[], find: (run: string) => StoredRun | undefined): void {
  const known = new Set<string>()
  for (const act of acts) {
    if (!('run' in act) || known.has(act.run)) continue
    known.add(act.run)
    const stored = act.act === 'queued' ? undefined : find(act.run)
    if (!stored || stored.promptUuid === null) continue
    const queued = asQueued(stored)
    if (act.act === 'process_begun') {
      s.active = resumeRun(queued)
      advance(s.active, 'started', stored.run.startedAt ?? act.time)
    } else s.queue = [...s.queue, queued]
  }
}

/** A run as it was before it was started. */
const asQueued = ({ run, promptUuid }: StoredRun): StoredRun => ({
  run: { ...run, state: 'queued', startedAt: null, endedAt: null, lastSeq: null, result: null },
  promptUuid,
})

function* watched(lines: Iterable<OutputLine>, read: Reread, damaged: DamagedLines[]): Generator<OutputLine> {
  for (const line of lines) {
    read.lines += 1
    if ('damaged' in line) damaged.push(line.damaged)
    yield line
  }
}
