import { terminalTypes } from '../../../protocol/events.ts'
import type { AgentCodec } from '../../agents/agent.ts'
import type { ActRow, EventRow, StoredApproval, StoredProcess, StoredRun } from '../../store/store.ts'
import type { Effect } from '../machine/effect.ts'
import type { Input } from '../machine/input.ts'
import type { Machine, Out } from '../machine/machine.ts'
import { LineFault } from '../machine/fold/output.ts'
import { project, type Records } from '../machine/project.ts'
import type { Emitted } from '../machine/fold/sink.ts'
import type { ProcessState } from '../machine/fold/state.ts'

/** The results of one step, or of several steps that are stored as one entry. */
export interface Gathering {
  events: EventRow[]
  acts: ActRow[]
  ended: StoredRun[]
  resolved: StoredApproval[]
  effects: Effect[]
  /** The record of the process, if it changes. */
  process?: StoredProcess
  checkpoint?: { process: string; offset: number }
  /** The number of applied lines, and whether a process has begun. They decide whether a snapshot is due. */
  lines: number
  begun: boolean
  /** The records and the `seq` of the newest event after the last step. */
  records: Records
  head: number
}

/** The session before a step. */
export interface Before {
  process: ProcessState | null
  row: StoredProcess | undefined
  records: Records | undefined
}

/** Returns the results of a step. Throws `LineFault` if an event of a line cannot be serialized. */
export function gather(m: Machine, before: Before, input: Input, out: Out, build: string): Gathering {
  const { acts, ended, resolved, effects } = out
  const isBegun = m.s.process !== null && m.s.process.id !== before.process?.id
  return {
    events: out.events.map(rowOf),
    acts: acts.map(({ n, time, at, ...act }) => ({ n, time, at, act: JSON.stringify(act) })),
    ended,
    resolved,
    effects,
    ...processOf(m, before, input.time, build),
    lines: input.input === 'output' ? input.lines.length : 0,
    begun: isBegun,
    records: project(m, before.records, input.time),
    head: m.s.head,
  }
}

/** Whether two gatherings fit into one entry, which holds the record of one process at most. */
export const canJoin = (g: Gathering, next: Gathering): boolean =>
  g.process === undefined || next.process === undefined || g.process.id === next.process.id

export const join = (g: Gathering, next: Gathering): Gathering => ({
  ...g,
  ...next,
  events: [...g.events, ...next.events],
  acts: [...g.acts, ...next.acts],
  ended: [...g.ended, ...next.ended],
  resolved: [...g.resolved, ...next.resolved],
  effects: [...g.effects, ...next.effects],
  lines: g.lines + next.lines,
  begun: g.begun || next.begun,
})

function rowOf({ seq, run, time, body, source }: Emitted): EventRow {
  try {
    const text = JSON.stringify({ seq, time, run, ...body })
    return { seq, run, type: body.type, text, process: source?.process ?? null, offset: source?.offset ?? null }
  } catch (error) {
    if (source) throw new LineFault({ offset: source.offset, time, frame: {} }, error)
    throw error
  }
}

/** Returns the changes to the record of the session's process by a step. */
function processOf(
  { agent, s, v }: Machine,
  { process, row }: Before,
  time: number,
  build: string,
): Pick<Gathering, 'process' | 'checkpoint'> {
  const { process: now } = s
  if (now?.id !== process?.id) {
    if (now) {
      const session = s.session.session
      return { process: newRow(now, { session, build, firstSeq: s.head + 1, time }) }
    }
    return process && row ? { process: endOf(agent, row, process, time) } : {}
  }
  if (!now || !row) return {}
  const { offset } = now
  const pid = v.process?.id === now.id ? v.process.pid : null
  return {
    ...(offset > row.offset && { checkpoint: { process: now.id, offset } }),
    ...(pid !== null && pid !== row.pid && { process: { ...row, offset, pid, startedAt: v.process!.startedAt } }),
  }
}

/** Returns the record of the live process after `g` is stored; undefined if there is none. */
export function rowAfter(g: Gathering, row: StoredProcess | undefined): StoredProcess | undefined {
  const now = g.process ?? row
  if (!now || now.endedAt !== null) return undefined
  return g.checkpoint?.process === now.id ? { ...now, offset: g.checkpoint.offset } : now
}

function newRow(
  { id, nonce, launch, oneShot }: ProcessState,
  { session, build, firstSeq, time }: { session: string; build: string; firstSeq: number; time: number },
): StoredProcess {
  return {
    id,
    session,
    nonce,
    pid: 0,
    startedAt: time,
    offset: 0,
    costUsdBefore: launch.costUsd,
    counterUsdBefore: launch.counterUsd,
    counterUsd: launch.counterUsd,
    resumed: launch.resumed,
    oneShot,
    firstSeq,
    conversationIdBefore: launch.claudeSessionId,
    raw: 'kept',
    frames: null,
    translator: build,
    endedAt: null,
  }
}

function endOf(agent: AgentCodec, row: StoredProcess, { decoder, offset }: ProcessState, time: number): StoredProcess {
  let { counterUsd } = row
  try {
    counterUsd = agent.counterUsd(decoder)
  } catch {
    // A fault has damaged the decoder. The counter in the transcript counts for the next process.
  }
  return { ...row, offset: Math.max(row.offset, offset), counterUsd, endedAt: time }
}

export const isDurable = ({ events }: Gathering): boolean => events.some(({ type }) => terminals.has(type))

const terminals = new Set<string>(terminalTypes)
