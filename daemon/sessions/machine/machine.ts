import { createHash } from 'node:crypto'
import type { AgentCodec, Command } from '../../agents/agent.ts'
import type { Act, StoredAct } from './fold/act.ts'
import { applyAct } from './fold/apply.ts'
import type { CallError, Effect } from './effect.ts'
import type { LiveRun } from './fold/live-run.ts'
import { type Facts, type Sink, sinkOf } from './fold/sink.ts'
import { isWorking, type SessionState } from './fold/state.ts'
import { type LiveProcess, type MachineConfig, newVolatile, type Volatile } from './volatile.ts'

/** A session, with its durable half `s` and its volatile half `v`. */
export interface Machine {
  agent: AgentCodec
  s: SessionState
  v: Volatile
}

export const createMachine = (agent: AgentCodec, s: SessionState, config: MachineConfig, nonce: string): Machine => ({
  agent,
  s,
  v: newVolatile(config, nonce),
})

/** The result of a step. The interpreter stores the facts and acts, and then carries out the effects in order. */
export interface Out extends Facts {
  acts: StoredAct[]
  effects: Effect[]
}

/** A step in progress. */
export interface Work extends Machine {
  time: number
  out: Out
  sink: Sink
}

export function beginWork({ agent, s, v }: Machine, time: number): Work {
  // Written out instead of `noFacts()`, because this runs for each read of output.
  const out: Out = { events: [], ended: [], resolved: [], answers: [], toolBoundary: false, acts: [], effects: [] }
  return { agent, s, v, time, out, sink: sinkOf(s, out) }
}

/** Applies an act and adds it to the acts to be stored. */
export function decide({ agent, s, time, out, sink }: Work, act: Act): void {
  const at = s.process && { process: s.process.id, offset: s.process.offset }
  const stored: StoredAct = { ...act, n: s.acts + 1, time, at }
  out.acts.push(stored)
  applyAct(agent, s, stored, sink)
}

export const effect = ({ out }: Work, what: Effect): void => void out.effects.push(what)

export const refuse = ({ out }: Work, call: number, error: CallError): void =>
  void out.effects.push({ effect: 'refuse', call, error })

/** Returns an id that is unique over all lives of the machine. */
export function newId({ s, v }: Pick<Work, 's' | 'v'>, kind: string): string {
  v.made += 1
  const text = `${s.session.session} ${v.nonce} ${v.made}`
  return `${kind}${createHash('sha256').update(text).digest('base64url').slice(0, 21)}`
}

/** Sends a command to the process, once for each `key` in this life of the machine. Sends `first` before any other. */
export function send(w: Work, key: string, command: Command): void {
  const { agent, s, v, out } = w
  const { process } = v
  if (!process || !s.process || process.sent.has(key)) return
  if (command.command !== 'first') send(w, 'first', { command: 'first' })
  process.sent.add(key)
  for (const { lineId, line } of agent.encode(s.process.decoder, command))
    out.effects.push({ effect: 'send', process: process.id, lineId, line })
}

/** Returns the process if lines can be sent to it. */
export const listening = ({ v: { process } }: Pick<Work, 'v'>): LiveProcess | null =>
  process?.phase === 'live' && !process.closing ? process : null

/** Whether muxd may end the process now. A process that catches up is ended only when the daemon stops. */
export const isEndable = ({ v: { process, mode } }: Pick<Work, 'v'>): boolean =>
  process?.phase === 'live' || (process?.phase === 'catching_up' && process.pid !== null && mode === 'stopping')

/** Closes the input of the process, so that it ends. If it does not end in time, `closeProcess` ends it by force. */
export function endInput(w: Work): void {
  const { process } = w.v
  if (!process || !isEndable(w)) return
  if (!process.closing) {
    effect(w, { effect: 'end_input', process: process.id })
    process.inputEnded = true
  }
  process.closing = true
  process.ending ??= { step: 'input_ended', at: w.time }
}

/** Whether the process has the prompt of a run, as far as this daemon knows. */
export const isDelivered = (process: LiveProcess, { stored, hasBegun, hasArrived }: LiveRun): boolean =>
  stored.promptUuid === null || hasBegun === true || hasArrived === true || process.sent.has(stored.promptUuid)

/** Returns the active run if its prompt has yet to be sent. */
export function undelivered({ s, v }: Pick<Work, 's' | 'v'>): LiveRun | null {
  const { active } = s
  if (!active || active.held || active.stored.run.state !== 'running') return null
  return v.process && isDelivered(v.process, active) ? null : active
}

/** Whether the process can serve a run with these limits. */
export function suits({ agent, s, v }: Pick<Work, 'agent' | 's' | 'v'>, limits: LiveRun['stored']['run']['limits']) {
  if (v.process?.phase !== 'live' || v.process.closing || !s.process) return false
  return !v.jobs.some(({ job }) => job === 'close') && agent.holdsLimits(s.process.limits, limits)
}

/** Whether the process is live and has nothing to do: no run, call, question or background work. */
export const isIdle = ({ s, v }: Pick<Work, 's' | 'v'>): boolean =>
  v.process?.phase === 'live' &&
  !isWorking(s) &&
  s.queue.length === 0 &&
  v.jobs.length === 0 &&
  s.open.length === 0 &&
  s.process?.tasks.length === 0
