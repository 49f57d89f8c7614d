import type { Actor, Approval, ApprovalReason, EventOf, Origin, TerminalType, Tokens } from '../../../sdk/browser.ts'
import type { Blocks } from './blocks.ts'

/**
 * A part of a conversation on the page. Later events change an item in place; each change increments `version`. `seq`
 * and `time` are those of its first event. `lane` is the tool use id of the sub-agent that it belongs to.
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

/** The prompt of a run, or the prompt that Claude Code gave to a sub-agent. */
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

/** `stopped`: its run ended before its result. */
export type ToolState = 'writing' | 'running' | 'waiting' | 'done' | 'failed' | 'denied' | 'stopped'

export interface ToolItem extends Common {
  kind: 'tool'
  toolUseId: string
  tool: string
  state: ToolState
  input: unknown
  output: unknown
  /** The seq of its result. */
  answerSeq: number | undefined
  details: unknown
  /** Set if the input or output is shortened; names the event with all of it. */
  inputCut: Cut | undefined
  outputCut: Cut | undefined
  endedAt: number | undefined
  denial: string | undefined
  approval: ApprovalPart | undefined
  task: TaskPart | undefined
  /** The items of the sub-agent that this call started. */
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
  /** The decision applies to the rest of the session. */
  isRemembered: boolean
}

/** A background task that a call started. */
export interface TaskPart {
  description: string | undefined
  status: string | undefined
  summary: string | undefined
  ended: boolean
}

export type Tone = 'quiet' | 'warning' | 'error'

/** A remark in one line; `detail` is shown when it is opened. */
export interface LineItem extends Common {
  kind: 'line'
  /** Its subject. A line replaces the line before it with the same subject, for example a retry. */
  about: string
  tone: Tone
  text: string
  detail: string | undefined
}

/** How a run ended. */
export interface EndItem extends Common {
  kind: 'end'
  event: EventOf<TerminalType>
  /** The last text of Claude already contains the failure's detail. */
  isExplained: boolean
  startedAt: number | undefined
  costUsd: number | undefined
  tokens: Tokens | undefined
}

/** The state of the conversation as a whole, from the latest events. */
export interface Facts {
  model: string | undefined
  permissionMode: string | undefined
  apiKeySource: string | undefined
  costUsd: number | undefined
  /** Tokens that the last request of the main conversation read and wrote; after a compaction, the tokens it left. */
  contextTokens: number | undefined
  contextWindow: number | undefined
  /** The activity that Claude Code reports, for example `requesting` or `compacting`. */
  status: string | null
  /** The run that started last, until it ends. */
  run: { run: string; startedAt: number; cancelledBy: Actor | undefined } | undefined
  /** Time of the last event that Claude Code caused in a run, in ms since epoch. */
  heardAt: number | undefined
}
