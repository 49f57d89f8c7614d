import type { Command, OutputLine, Signal } from '../../../../daemon/agents/agent.ts'
import type { EventBody } from '../../../../protocol/index.ts'
import { commandOf, type Frame } from './scripted-agent.ts'

/** A process of the scripted agent, and its pty-host, which writes each line id once. */
export class ScriptedProcess {
  readonly id: string
  readonly raw: OutputLine[] = []
  readonly got = new Map<string, Command>()
  /** Prompts that it has read, in order. */
  readonly read: string[] = []
  unread: Command[] = []
  prompts: string[] = []
  turn: string | null = null
  ownTurn = false
  asked: string[] = []
  interrupted = false
  inputEnded = false
  exit: { status: number | null; lost: boolean } | null = null
  /** The session has got its exit, and the pty-host no longer holds it. */
  isExitTold = false
  /** It ends no turn and obeys no signal but `SIGKILL`. */
  stubborn = false
  signalled = false
  lastPrompt: string | null = null
  now: () => number

  constructor(id: string, now: () => number) {
    this.id = id
    this.now = now
  }

  write(lineId: string, line: string): void {
    if (this.exit || this.got.has(lineId)) return
    if (this.inputEnded) throw new Error(`${lineId} is written after the end of the input`)
    if (this.got.size === 0 && lineId !== 'init') throw new Error(`${lineId} comes before the first line`)
    const command = commandOf(line)
    this.got.set(lineId, command)
    this.unread.push(command)
  }

  get end(): number {
    return this.raw.at(-1)?.offset ?? 0
  }

  print(frame: Frame): void {
    if (!this.exit) this.raw.push({ frame, offset: this.end + 10, time: this.now() })
  }

  ends(status: number | null): void {
    this.exit ??= { status, lost: status === null }
  }

  /** Reads one line of its input. */
  readLine(refuses = false): void {
    const command = this.exit ? undefined : this.unread.shift()
    if (!command) return
    switch (command.command) {
      case 'first':
        return this.print({ signals: [answered('init', refuses)] })
      case 'prompt':
        this.read.push(command.id)
        this.prompts.push(command.id)
        return this.print({ signals: [{ signal: 'arrived', prompt: command.id }] })
      case 'answer':
        this.asked = this.asked.filter(id => id !== command.requestId)
        return
      case 'withdraw':
        return
      case 'interrupt':
        this.print({ signals: [answered(command.requestId, false, this.turn ? [] : this.prompts)] })
        this.interrupted ||= this.turn !== null
        return
      case 'setMode': {
        const events: EventBody[] = refuses ? [] : [{ type: 'status', status: null, permissionMode: command.mode }]
        return this.print({ events, signals: [answered(command.requestId, refuses)] })
      }
      case 'setModel':
      case 'setRules':
        return this.print({ signals: [answered(command.requestId, refuses)] })
      default:
        command satisfies never
    }
  }

  beginTurn(text: string): void {
    const next = this.turn || this.ownTurn ? undefined : this.prompts.shift()
    if (next === undefined) return
    this.turn = next
    this.print({ turn: { at: 'started', promptUuids: [next], background: null }, text })
  }

  /** Ends the turn, and returns how it ended. Returns undefined without a turn, or while a question is open. */
  endTurn(): { prompt: string; isGood: boolean } | undefined {
    const prompt = this.turn
    if (this.exit || prompt === null || this.stubborn || (this.asked.length > 0 && !this.interrupted)) return undefined
    const isGood = !this.interrupted
    this.takeBack(Infinity)
    this.print({
      turn: { at: 'ended', promptUuids: [prompt], background: null },
      events: [{ type: 'cost', costUsd: 1, runCostUsd: 0.5, tokens }],
      outcome: isGood ? done : failed,
    })
    this.turn = null
    this.interrupted = false
    this.lastPrompt = prompt
    return { prompt, isGood }
  }

  /** Begins a turn of the agent itself, or ends it if it has begun. */
  own(text: string): void {
    if (this.ownTurn) {
      this.print({ turn: { at: 'ended', promptUuids: [], background: { kind: 'task' } }, text, outcome: done })
      this.ownTurn = false
    } else if (!this.turn) {
      this.print({ turn: { at: 'started', promptUuids: [], background: { kind: 'task' } }, text })
      this.ownTurn = true
    }
  }

  ask(tool: string, inBackground: boolean): void {
    if (this.exit || (!this.turn && !inBackground) || this.asked.length > 3) return
    const requestId = `q${this.raw.length}`
    if (!inBackground) this.asked.push(requestId)
    const question = { requestId, kind: 'tool' as const, tool, input: {}, toolUseId: `t${requestId}`, inBackground }
    this.print({ signals: [{ signal: 'asked', question }] })
    // The same question again.
    this.print({ signals: [{ signal: 'asked', question }] })
  }

  takeBack(count: number): void {
    for (const requestId of this.asked.splice(0, count)) this.print({ signals: [{ signal: 'withdrawn', requestId }] })
  }

  tasks(ids: readonly string[]): void {
    this.print({ signals: [{ signal: 'background', tasks: ids.map(id => ({ id })) }] })
  }

  requests(): void {
    const requestId = `x${this.raw.length}`
    const line = JSON.stringify({ command: 'withdraw', approval: requestId, requestId } satisfies Command)
    this.print({ signals: [{ signal: 'reply', requestId, lineId: `answer-${requestId}`, line }] })
  }
}

const answered = (requestId: string, refuses: boolean, stillQueued: readonly string[] = []): Signal =>
  refuses
    ? { signal: 'answered', requestId, stillQueued, ok: false, error: 'no', errorCode: null }
    : { signal: 'answered', requestId, stillQueued, ok: true }

const tokens = { input: 1, output: 1, cacheCreation: 0, cacheRead: 0 }
const done = { type: 'done' as const, response: '', transcript: [], numTurns: 1, durationMs: 1 }
const failed = {
  type: 'failed' as const,
  failure: { code: 'unknown' as const, title: '', detail: '', retryable: false },
  response: '',
  transcript: [],
}
