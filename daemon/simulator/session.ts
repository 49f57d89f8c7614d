import { randomUUID } from 'node:crypto'
import type { Arguments } from './arguments.ts'
import type { Output } from './output.ts'
import { noRules, type Rules } from './rules.ts'
import { type Entry, loadTranscript, saveTranscript } from './transcript.ts'
import { addTokens, costOf, estimateTokens, noTokens, type Tokens } from './usage.ts'

export const simulatorModel = 'muxd-simulator'

/** Everything that outlives a turn. One process has one session (and another one after `/clear`). */
export interface Session {
  readonly args: Arguments
  readonly output: Output
  /** Waits are divided by it. */
  readonly speed: number
  readonly startedAt: number
  id: string
  model: string
  permissionMode: string
  /** Tools, and commands such as `Bash(ls)`, that need no permission any more. */
  readonly allowed: Set<string>
  /** The rules of `apply_flag_settings`. */
  rules: Rules
  /** The conversation so far, in the form of the transcript. */
  entries: Entry[]
  /** Tokens by model, over the whole session. */
  models: Map<string, Tokens>
  /** Cost in USD of these tokens when this process began: a budget counts from there. */
  costBefore: number
  /** Tokens by model since the last `result` frame. */
  recent: Map<string, Tokens>
  /** Tokens the conversation has so far: the next request reads them from the cache. */
  contextTokens: number
  /** `result` frames printed by this process. */
  results: number
  apiMs: number
  agents: AgentCounts
  tasks: BackgroundTask[]
  /** Standard input has ended, so no answer can come any more. */
  inputEnded: boolean
  /** Permission questions without an answer, by request id. */
  readonly questions: Map<string, (answer: PermissionAnswer) => void>
  /** Inputs that the process ignores because a script says so: `interrupt`, `int`, `term`, `hup`, `end`, `input`. */
  readonly deafTo: Set<string>
  /** Starts a turn of its own when a background task ends. */
  onTaskEnded: (task: BackgroundTask) => void
}

export interface BackgroundTask {
  id: string
  runId: string
  toolUseId: string
  description: string
  /** The text of the turn that follows its end. */
  report: string
}

export type PermissionAnswer =
  | { behavior: 'allow'; updatedInput?: Record<string, unknown>; updatedPermissions?: PermissionUpdate[] }
  | { behavior: 'deny'; message?: string; interrupt?: boolean }
  /** The question could not be asked, or the answer was an error. */
  | { behavior: 'failed'; message: string }

export interface PermissionUpdate {
  type?: string
  mode?: string
  rules?: { toolName?: string; ruleContent?: string }[]
  behavior?: string
  destination?: string
}

export interface AgentCounts {
  spawned: number
  completed: number
  byType: Record<string, number>
}

export function createSession(args: Arguments, output: Output, id: string, history: string | undefined): Session {
  const transcript = history === undefined ? [] : upTo(args.resumeSessionAt, loadTranscript(history) ?? [])
  const entries = transcript.filter(entry => entry.type !== 'cost-state')
  const spent = args.forkSession ? undefined : transcript.findLast(entry => entry.type === 'cost-state')
  return {
    args,
    output,
    speed: Math.max(Number(process.env['MUXD_SIMULATOR_SPEED']) || 1, 1e-3),
    startedAt: Date.now(),
    id,
    model: modelName(args.model),
    permissionMode: args.permissionMode,
    allowed: new Set(args.allowedTools.map(rule => rule.replace(/\(.*$/, ''))),
    rules: noRules,
    entries,
    models: new Map(spent?.models),
    costBefore: costOfAll(spent?.models ?? []),
    recent: new Map(),
    contextTokens: estimateTokens(promptsIn(entries).join('')),
    results: 0,
    apiMs: 0,
    agents: { spawned: 0, completed: 0, byType: {} },
    tasks: [],
    inputEnded: args.inputFormat === 'text',
    questions: new Map(),
    deafTo: new Set(),
    onTaskEnded: () => {},
  }
}

/** Returns a name that shows the chosen model, and that the simulator plays it. */
export const modelName = (chosen: string | undefined): string =>
  chosen === undefined || chosen === 'default' ? simulatorModel : `${simulatorModel}:${chosen}`

/** Prints one frame; the output formats `text` and `json` print the result alone. */
export function print(session: Session, frame: object): void {
  const { outputFormat } = session.args
  if (outputFormat === 'stream-json') return session.output.write(`${JSON.stringify(frame)}\n`)
  const { type, result, errors } = frame as { type?: string; result?: string; errors?: string[] }
  if (type !== 'result') return
  session.output.write(`${outputFormat === 'json' ? JSON.stringify(frame) : (result ?? errors?.join('\n') ?? '')}\n`)
}

/** A frame's own fields, then those that every frame has. */
export const stamped = <T extends object>(session: Session, fields: T): T & { session_id: string; uuid: string } => ({
  ...fields,
  session_id: session.id,
  uuid: randomUUID(),
})

export function spend(session: Session, tokens: Tokens): void {
  for (const models of [session.models, session.recent]) {
    const so = models.get(session.model) ?? noTokens()
    addTokens(so, tokens)
    models.set(session.model, so)
  }
}

/** Cost in USD of the whole session, over all its processes. */
export const totalCost = (session: Session): number => costOfAll(session.models)

const costOfAll = (models: Iterable<readonly [string, Tokens]>): number =>
  [...models].reduce((sum, [, tokens]) => sum + costOf(tokens), 0)

/** The prompts of a conversation so far. */
export const promptsIn = (entries: readonly Entry[]): string[] =>
  entries.flatMap(entry => (entry.type === 'user' ? entry.message.content : []))

export const remember = (session: Session): void =>
  saveTranscript(session.id, [
    ...session.entries,
    { type: 'cost-state', totalCostUSD: totalCost(session), models: [...session.models] },
  ])

/** Cuts off the entries after a message. The caller has made sure that the message exists. */
function upTo(uuid: string | undefined, entries: Entry[]): Entry[] {
  if (uuid === undefined) return entries
  return entries.slice(0, 1 + entries.findIndex(entry => entry.type !== 'cost-state' && entry.uuid === uuid))
}
