import type { Actor, Approval, ApprovalReason, EventOf, Origin, TerminalType, Tokens } from '../../../sdk/browser.ts'
import type { Blocks } from './blocks.ts'

/**
 * What a conversation is shown as. Items change in place while more is heard of them; each change counts `version` up.
 * `seq` and `time` are of the event that an item began with, `lane` is the tool use id of the sub-agent it belongs to.
 */
export type Item = PromptItem | TextItem | ThinkingItem | ToolItem | LineItem | EndItem

interface Common {
  readonly key: string
  readonly seq: number
  readonly time: number
  readonly run: string | null
  readonly lane: string | undefined
  version: number
}

/** What somebody asked for, or Claude Code told a sub-agent to do. */
export interface PromptItem extends Common {
  kind: 'prompt'
  text: string
  origin: Origin | undefined
}

export interface TextItem extends Common {
  kind: 'text'
  blocks: Blocks
  finished: boolean
}

export interface ThinkingItem extends Common {
  kind: 'thinking'
  text: string
  finished: boolean
}

/** `stopped`: its run ended before it gave a result. */
export type ToolState = 'writing' | 'running' | 'waiting' | 'done' | 'failed' | 'denied' | 'stopped'

export interface ToolItem extends Common {
  kind: 'tool'
  toolUseId: string
  tool: string
  state: ToolState
  input: unknown
  output: unknown
  /** Where in the log its result is. */
  answerSeq: number | undefined
  details: unknown
  /** The events whose whole content has to be asked for. */
  inputCut: Cut | undefined
  outputCut: Cut | undefined
  endedAt: number | undefined
  denial: string | undefined
  approval: ApprovalPart | undefined
  task: TaskPart | undefined
  /** What a sub-agent does that this call started. */
  children: Item[]
}

export interface Cut {
  seq: number
  bytes: number
}

export interface ApprovalPart {
  approval: string
  kind: Approval['kind']
  tool: string
  input: unknown
  description: string | undefined
  suggestions: readonly unknown[] | undefined
  reason: ApprovalReason
  expiresAt: number | undefined
  resolved: Resolved | undefined
}

export interface Resolved {
  decision: NonNullable<Approval['decision']>
  by: Approval['by']
  message: string | undefined
  /** It counts for the rest of the session. */
  isRemembered: boolean
}

/** A task that goes on in the background of a call. */
export interface TaskPart {
  description: string | undefined
  status: string | undefined
  summary: string | undefined
  ended: boolean
}

export type Tone = 'quiet' | 'warning' | 'error'

/** One quiet line; `detail` is shown when it is opened. */
export interface LineItem extends Common {
  kind: 'line'
  /** What it tells of: a retry replaces the retry before it. */
  about: string
  tone: Tone
  text: string
  detail: string | undefined
}

/** How a run ended. */
export interface EndItem extends Common {
  kind: 'end'
  event: EventOf<TerminalType>
  /** Why it failed has been said already by Claude itself. */
  isExplained: boolean
  startedAt: number | undefined
  costUsd: number | undefined
  tokens: Tokens | undefined
}

/** What holds for the conversation as a whole, as last heard. */
export interface Facts {
  model: string | undefined
  permissionMode: string | undefined
  apiKeySource: string | undefined
  costUsd: number | undefined
  /** Of the main conversation: what the last request read and wrote. */
  contextTokens: number | undefined
  contextWindow: number | undefined
  /** `requesting`, `compacting`: what Claude Code says it is doing. */
  status: string | null
  /** The run that the last event belonged to, while it has not ended. */
  run: { run: string; startedAt: number; cancelledBy: Actor | undefined } | undefined
  /** When Claude Code last gave a sign of life in a run. */
  heardAt: number | undefined
}
