import { isDeepStrictEqual } from 'node:util'
import { deserialize, serialize } from 'node:v8'
import type { Failure, RunLimits, SessionChanges } from '../../../../protocol/index.ts'
import type { OutputLine } from '../../../../daemon/agents/agent.ts'
import { isEnded } from '../../../../daemon/sessions/machine/fold/run-state.ts'
import type { StoredAct } from '../../../../daemon/sessions/machine/fold/act.ts'
import { fold } from '../../../../daemon/sessions/machine/fold/apply.ts'
import { nextDeadline } from '../../../../daemon/sessions/machine/decide/deadlines.ts'
import type { Effect } from '../../../../daemon/sessions/machine/effect.ts'
import type { AdoptedProcess, ClientCall, ProcessFact, WorldFact } from '../../../../daemon/sessions/machine/input.ts'
import type { StoredRun } from '../../../../daemon/sessions/machine/fold/live-run.ts'
import { createMachine, type Machine, type Out } from '../../../../daemon/sessions/machine/machine.ts'
import { changesOf, project, type Records } from '../../../../daemon/sessions/machine/project.ts'
import { type Emitted, noFacts } from '../../../../daemon/sessions/machine/fold/sink.ts'
import { restState, type SessionState } from '../../../../daemon/sessions/machine/fold/state.ts'
import { step } from '../../../../daemon/sessions/machine/step.ts'
import { session } from '../../../support/records.ts'
import { commandOf, scripted } from './scripted-agent.ts'
import { ScriptedProcess } from './scripted-process.ts'

export const config = {
  cancelGraceMs: 100,
  resultGraceMs: 200,
  idleCloseMs: 1_000,
  unattendedMs: 500,
  backgroundWaitMs: 400,
}

export const diskFull: Failure = { code: 'disk_full', title: '', detail: '', retryable: true }

/** Far more than any finite history has. Fails a history that would go on for ever. */
const mostInputs = 10_000

interface Pending {
  events: Emitted[]
  acts: StoredAct[]
  effects: Effect[]
}

const nothing = (): Pending => ({ events: [], acts: [], effects: [] })

type Call = ClientCall extends infer Each ? (Each extends { call: number } ? Omit<Each, 'call'> : never) : never

/** An answer of the world to an effect, still in flight. Only answers to `prepare` and `start` outlive a reload. */
interface Flight {
  kind: 'prepare' | 'start' | 'other'
  arrive(): void
}

/**
 * A session's machine in a simulated world: a store that commits or fails, a pty-host with line ids, a scripted
 * process, a scheduler, a conversation lock, a clock. Each input, commit and restart is checked.
 */
export class World {
  now = 1
  m: Machine
  readonly stored: { events: Emitted[]; acts: StoredAct[] } = { events: [], acts: [] }
  pending = nothing()
  snapshot: SessionState
  private due: SessionState | undefined
  committed: SessionState
  flights: Flight[] = []
  readonly processes = new Map<string, ScriptedProcess>()
  slot: 'none' | 'asked' | 'held' | 'lent' = 'none'
  locked = new Set<string>()
  runs = 0
  calls = 0
  lives = 0
  inputs = 0
  readonly unanswered = new Set<number>()
  readonly answers = new Map<number, Extract<Effect, { effect: 'answer' | 'refuse' }>>()
  readonly outcomes = new Map<string, boolean>()
  refolded = 0
  /** `unadopted`: the end of the runs could not be stored either, and inputs wait until the retry. */
  storage: 'works' | 'fails' | 'unadopted' = 'works'
  private inbox: (ProcessFact | WorldFact | ClientCall)[] = []
  isStopped = false
  isForgotten = false
  failStarts = 0
  readonly oneShot: boolean
  private records: Records | undefined
  private readonly storedRuns = new Map<string, string>()

  constructor(fields: Parameters<typeof session>[1] = {}, oneShot = false) {
    this.oneShot = oneShot
    const s = restState(session('s_1', fields))
    this.m = createMachine(scripted, s, config, 'life 0')
    this.snapshot = structuredClone(s)
    this.committed = structuredClone(s)
  }

  /** The newest record of a run. */
  storedRun(run: string): StoredRun | undefined {
    const text = this.storedRuns.get(run)
    return text === undefined ? undefined : (JSON.parse(text) as StoredRun)
  }

  get process(): ScriptedProcess | undefined {
    const id = this.m.s.process?.id
    return id === undefined ? undefined : this.processes.get(id)
  }

  // -- inputs --------------------------------------------------------------------------------------------------------

  input(input: ProcessFact | WorldFact | ClientCall): Out {
    if (this.storage === 'unadopted') {
      this.inbox.push(input)
      return { ...noFacts(), acts: [], effects: [] }
    }
    if (++this.inputs > mostInputs) throw new Error(`more than ${mostInputs} inputs: the history goes on for ever`)
    const { s } = this.m
    const processBefore = s.process?.id
    const before = input.input === 'output' ? undefined : structuredClone(s)
    const out = step(this.m, { ...input, time: this.now })
    if (before && out.acts.length === 0) {
      if (!isDeepStrictEqual(before, s)) throw new Error(`${input.input} changed the durable state without an act`)
      if (out.events.length > 0) throw new Error(`${input.input} gave events without an act`)
    }
    this.pending.events.push(...out.events)
    this.pending.acts.push(...out.acts)
    this.pending.effects.push(...out.effects)
    for (const effect of out.effects) this.checkEffect(effect)
    if (!s.process || s.process.id !== processBefore) this.due = structuredClone(s)
    this.checkRecords(out)
    return out
  }

  call(call: Call): number {
    const number = ++this.calls
    this.unanswered.add(number)
    this.input({ ...call, call: number })
    return number
  }

  enqueue(limits?: RunLimits): string {
    const id = ++this.runs
    const run = `r_${id}`
    const by = client(0)
    this.call({
      input: 'enqueue',
      run,
      promptUuid: `u_${id}`,
      prompt: `prompt ${id}`,
      ...(limits && { limits }),
      by,
    })
    return run
  }

  update(changes: SessionChanges): void {
    this.call({ input: 'update', changes, by: client(1) })
  }

  tick(): void {
    if (this.storage === 'unadopted' || nextDeadline(this.m) > this.now) return
    const printedAt = this.process?.raw.at(-1)?.time
    this.input({ input: 'tick', ...(printedAt !== undefined && { printedAt }) })
    const next = nextDeadline(this.m)
    if (next > this.now) return
    // The step itself may make something due at once, but not again and again.
    this.input({ input: 'tick', ...(printedAt !== undefined && { printedAt }) })
    if (nextDeadline(this.m) <= this.now) throw new Error('the same deadline is due again and again')
  }

  // -- checks --------------------------------------------------------------------------------------------------------

  /** Ids of processes that the machine has begun to end in this life. */
  private ending = new Set<string>()
  /** Ids of the requests with rules that were sent in this life. */
  private asked = new Set<string>()

  private checkEffect(effect: Effect): void {
    const { s, v } = this.m
    const { process } = v
    if (['end_input', 'signal', 'kill', 'abandon', 'discard'].includes(effect.effect))
      this.ending.add((effect as { process: string }).process)
    if (effect.effect === 'read_again' && effect.offset !== s.process?.offset)
      throw new Error(`output is read again from ${effect.offset}`)
    if (effect.effect !== 'send') return
    if (this.ending.has(effect.process)) throw new Error(`a line for a process that ends: ${effect.lineId}`)
    if (process?.phase !== 'live' || process.id !== effect.process)
      throw new Error('a line for a process that is not live')
    if (!effect.lineId.startsWith('u_')) return
    const run = s.active?.stored
    if (run?.promptUuid !== effect.lineId) throw new Error(`a prompt is sent without its run: ${effect.lineId}`)
    const own = s.process?.run === run.run.run
    if (!own && !scripted.holdsLimits(s.process?.limits, run.run.limits))
      throw new Error('a prompt is sent to a process with other limits')
  }

  /** Checks that the records that were stored as changes equal the current records. */
  private checkRecords(out: Out): void {
    const after = project(this.m, this.records, this.now)
    const changed = changesOf(this.records, after, out)
    for (const run of changed.runs) this.storedRuns.set(run.run.run, JSON.stringify(run))
    for (const [id, run] of after.runs) {
      if (this.storedRuns.get(id) !== JSON.stringify(run)) throw new Error(`the stored record of ${id} is out of date`)
    }
    this.records = after
  }

  // -- store ---------------------------------------------------------------------------------------------------------

  commit(takesSnapshot = false): void {
    const { events, acts, effects } = this.pending
    this.stored.events.push(...events)
    this.stored.acts.push(...acts)
    this.committed = structuredClone(this.m.s)
    if (this.due) this.snapshot = this.due
    if (takesSnapshot) this.snapshot = deserialize(serialize(this.m.s)) as SessionState
    this.due = undefined
    this.pending = nothing()
    for (const effect of effects) this.carryOut(effect)
  }

  private refold(): SessionState {
    const s = structuredClone(this.snapshot)
    const acts = this.stored.acts.filter(({ n }) => n > s.acts)
    const isSame = s.process?.id === this.committed.process?.id
    const upTo = isSame ? (this.committed.process?.offset ?? 0) : Infinity
    const lines = this.linesBetween(s.process?.id, s.process?.offset ?? 0, upTo)
    this.refolded += lines.length
    const events = fold(scripted, s, acts, lines, isSame ? upTo : 0).map(event => JSON.stringify(event))
    const known = this.stored.events.filter(({ seq }) => seq > this.snapshot.head).map(event => JSON.stringify(event))
    if (!isDeepStrictEqual(events, known))
      throw new Error(`the fold gives other events:\n${events.join('\n')}\n--- stored:\n${known.join('\n')}`)
    if (!isDeepStrictEqual(s, this.committed))
      throw new Error(`the fold gives another state:\n${text(s)}\n--- committed:\n${text(this.committed)}`)
    return s
  }

  private linesBetween(process: string | undefined, from: number, to: number): OutputLine[] {
    const raw = process === undefined ? [] : (this.processes.get(process)?.raw ?? [])
    return raw.filter(({ offset }) => offset > from && offset <= to)
  }

  private newLife(): void {
    const s = this.refold()
    this.lives++
    this.m = createMachine(scripted, s, config, `life ${this.lives}`)
    this.pending = nothing()
    this.due = undefined
    this.slot = 'none'
    this.records = undefined
    this.ending = new Set()
    this.asked = new Set()
    this.unanswered.clear()
    for (const input of this.inbox) if ('call' in input) this.unanswered.add(input.call)
    this.isForgotten = false
    this.flights = this.flights.filter(({ kind }) => kind !== 'other')
  }

  /** Kills the daemon (`kill -9`). The next one folds the stored acts and lines, and continues. */
  crash({ startArrives = false, isDamaged = false } = {}): void {
    const starts = this.flights.filter(({ kind }) => kind === 'start')
    this.newLife()
    this.flights = []
    this.storage = 'works'
    this.inbox = []
    this.unanswered.clear()
    // The pty-host may have started the process without the knowledge of the daemon.
    if (startArrives && this.m.s.process && starts.length > 0) this.createProcess(this.m.s.process.id)
    this.locked.clear()
    this.adopt(false, isDamaged)
  }

  /** Refuses an entry: the session drops its memory, folds again, and keeps the process. */
  failCommit(): void {
    this.newLife()
    // A second failure refuses the entry that ends the runs. It is retried later; until then nothing is adopted.
    if (this.storage === 'works') this.giveUp()
    else this.storage = 'unadopted'
  }

  /** Retries the storage, as the session does a second after an entry was refused. */
  retryStorage(): void {
    if (this.storage === 'unadopted') this.giveUp()
    else if (this.storage === 'fails') {
      this.input({ input: 'storage_works' })
      if (this.m.v.process?.phase !== 'behind') this.storage = 'works'
    }
  }

  private giveUp(): void {
    this.storage = 'fails'
    this.adopt(true)
    this.input({ input: 'storage_failed', failure: diskFull })
    this.takeInbox()
  }

  private takeInbox(): void {
    for (const input of this.inbox.splice(0)) this.input(input)
  }

  fault(whileRestoring = false): void {
    this.newLife()
    if (this.storage === 'unadopted') this.storage = 'fails'
    this.adopt(true)
    this.input({ input: 'fault', reason: 'a fault', bytes: 10, offset: 20, whileRestoring })
    this.takeInbox()
  }

  private adopt(isReload: boolean, isDamaged = false): void {
    const damage = isDamaged ? { damage: { bytes: 7, detail: 'a byte was changed' } } : {}
    const adopted = (process: AdoptedProcess | null) => void this.input({ input: 'adopted', process, ...damage })
    const id = this.m.s.process?.id
    const process = this.process
    if (id === undefined || (!process && !(isReload && this.flights.some(({ kind }) => kind === 'start'))))
      return adopted(null)
    if (!process) return adopted({ id, state: 'starting' })
    if (process.exit && (process.exit.lost || process.isExitTold)) {
      adopted({ id, state: 'gone' })
    } else {
      if (process.inputEnded) this.ending.add(id)
      adopted({ id, state: 'held', pid: 1, startedAt: 1, inputEnded: process.inputEnded })
    }
    const life = this.lives
    this.later(() => {
      if (life !== this.lives || this.m.s.process?.id !== id) return
      this.read(Infinity)
      if (this.m.s.process?.id === id && this.m.v.process?.phase === 'catching_up')
        this.input({ input: 'caught_up', process: id })
    })
  }

  // -- effects -------------------------------------------------------------------------------------------------------

  private later(arrive: () => void, kind: Flight['kind'] = 'other'): void {
    this.flights.push({ kind, arrive })
  }

  land(at = 0): void {
    const [flight] = this.flights.splice(at % Math.max(1, this.flights.length), 1)
    flight?.arrive()
  }

  /** Lets all answers arrive that are in flight now. */
  landAll(): void {
    for (let { length } = this.flights; length > 0; length--) this.land()
  }

  private createProcess(id: string): void {
    if (this.processes.has(id)) throw new Error('a process is started twice')
    this.processes.set(id, new ScriptedProcess(id, () => this.now))
  }

  private carryOut(effect: Effect): void {
    const process = 'process' in effect && effect.process !== null ? this.processes.get(effect.process) : undefined
    switch (effect.effect) {
      case 'answer':
      case 'refuse':
        if (!this.unanswered.delete(effect.call)) throw new Error(`call ${effect.call} is answered twice`)
        return void this.answers.set(effect.call, effect)
      case 'ask_slot':
        return this.askSlot()
      case 'give_slot':
      case 'lend_slot':
        if (this.slot === 'none') throw new Error(`${effect.effect} without a slot`)
        this.slot = effect.effect === 'lend_slot' ? 'lent' : 'none'
        return
      case 'take_slot':
      case 'reclaim_slot':
        if (this.slot === 'held' || this.slot === 'asked') throw new Error('a second slot')
        this.slot = 'held'
        return
      case 'prepare':
        return this.prepare(effect.process)
      case 'start':
        return this.start(effect.process)
      case 'send':
        return process && this.write(process, effect)
      case 'end_input':
        if (process) process.inputEnded = true
        return
      case 'signal':
        if (process) process.signalled = true
        return
      case 'kill':
      case 'abandon':
      case 'discard':
        return process?.ends(137)
      case 'clear':
        return this.later(() => this.input({ input: 'cleared', process: effect.process, ...this.found(effect) }))
      case 'end_left':
        return this.later(() => this.input({ input: 'left_ended' }))
      case 'hold_conversation':
        return void this.locked.add(effect.process)
      case 'release_conversation':
        return effect.process === null ? this.locked.clear() : void this.locked.delete(effect.process)
      case 'read_again':
        return this.readAgain(effect.process)
      case 'forget':
        return this.forget()
      case 'stopped':
        this.isStopped = true
        return
      case 'note':
      case 'process_idle':
      case 'process_gone':
        return
      default:
        effect satisfies never
    }
  }

  /** Writes a line. Throws for a prompt that precedes the answer to the rules that this life has sent. */
  private write(process: ScriptedProcess, { lineId, line }: { lineId: string; line: string }): void {
    const { command } = commandOf(line)
    const asked = process.unread.some(each => each.command === 'setRules' && this.asked.has(each.requestId))
    if (command === 'prompt' && asked && !process.got.has(lineId)) throw new Error('a prompt is sent before the rules')
    if (command === 'setRules') this.asked.add(lineId)
    process.write(lineId, line)
  }

  private found({ spareDetached }: { spareDetached: boolean }) {
    const left = { processes: [{ pid: 1, startedAt: 1, command: 'x', identity: 'y' }], more: 0 }
    return spareDetached && this.now % 3 === 0 ? { left } : {}
  }

  private askSlot(): void {
    if (this.slot !== 'none') throw new Error('a second slot is asked for')
    this.slot = 'asked'
    const life = this.lives
    this.later(() => {
      if (life !== this.lives || this.slot !== 'asked') return
      this.slot = 'held'
      this.input({ input: 'slot_granted' })
    })
  }

  private prepare(id: string): void {
    this.locked.add(id)
    this.later(() => {
      if (this.failStarts > 0) return this.failStart(id)
      const { conversationId: claudeSessionId, costUsd } = this.m.s.session
      const launch = { claudeSessionId, costUsd, counterUsd: 0, resumed: claudeSessionId !== null }
      const { oneShot } = this
      this.input({ input: 'prepared', process: id, nonce: 'n', launch, conversation: `c of ${id}`, oneShot })
    }, 'prepare')
  }

  private start(id: string): void {
    this.later(() => {
      if (this.failStarts > 0) return this.failStart(id)
      this.createProcess(id)
      this.input({ input: 'started', process: id, pid: 1, startedAt: this.now })
    }, 'start')
  }

  private failStart(id: string): void {
    this.failStarts--
    this.input({ input: 'start_failed', process: id, failure: { ...diskFull, code: 'spawn_failed' } })
  }

  private readAgain(id: string): void {
    const life = this.lives
    this.later(() => {
      if (life !== this.lives || this.m.s.process?.id !== id) return
      this.read(Infinity)
    })
  }

  /** Forgets the session if it is at rest. Throws if its records do not give the same state. */
  private forget(): void {
    if (!this.isAtRest || this.flights.length > 0) return
    const { m } = this
    const { head } = m.s
    const loaded = restState({ ...project(m, undefined, this.now).session, head })
    const { acts: _, known: __, ...before } = m.s
    const { acts: ___, known: ____, ...after } = loaded
    if (!isDeepStrictEqual(before, after))
      throw new Error(`the records are not the session: ${text(before)} ${text(after)}`)
    this.isForgotten = true
  }

  /** Reads at most `count` lines of the output of the process, and its exit if no line is left. */
  read(count: number): void {
    const { process } = this
    const phase = this.m.v.process?.phase
    if (process?.exit && (phase === 'behind' || this.storage === 'unadopted')) return this.tellExit(process)
    if (!process || (phase !== 'live' && phase !== 'catching_up')) return
    const lines = this.linesBetween(process.id, this.m.s.process!.offset, Infinity).slice(0, count)
    const last = lines.at(-1)?.offset
    // The offset may lie behind the last line: bytes without a frame count as read.
    if (last !== undefined)
      this.input({ input: 'output', process: process.id, lines, offset: last + (last % 20 === 0 ? 3 : 0) })
    if (this.m.s.process?.id === process.id && this.m.s.process.offset >= process.end) this.tellExit(process)
  }

  private tellExit(process: ScriptedProcess): void {
    if (!process.exit) return
    process.isExitTold = true
    this.input({ input: 'exited', process: process.id, stderrTail: '', ...process.exit })
  }

  /** Whether the session has no run, process or call left. */
  get isAtRest(): boolean {
    const { s, v } = this.m
    return (
      !s.active && !s.background && s.queue.length === 0 && !s.process && v.jobs.length === 0 && v.clearing.length === 0
    )
  }

  get runStates(): Map<string, string> {
    const states = new Map<string, string>()
    for (const { run, body } of this.stored.events)
      if (run !== null && isEnded(body.type as never)) states.set(run, body.type)
    return states
  }
}

export const client = (n: number) => ({ client: `c_${n}`, name: `client ${n}` })

const text = (value: unknown) =>
  JSON.stringify(value, (_key, each: unknown) => (each instanceof Set || each instanceof Map ? [...each] : each))
