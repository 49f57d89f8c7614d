import type {
  AgentOptions,
  ApprovalKind,
  ApprovalReason,
  EventBody,
  Failure,
  FailureCode,
  RunLimits,
} from '../../protocol/index.ts'
import type { DamagedLines, LineParser } from '../pty-host/output.ts'

export type { DamagedLines } from '../pty-host/output.ts'

/**
 * An agent: a program that sessions run. Sessions know it by this interface only. An agent itself stores nothing and
 * starts no processes of sessions.
 */
export interface Agent extends AgentCodec {
  /** Finds the program. Called before each start, so it caches. Rejects with `AgentUnavailable`. */
  locate(): Promise<LocatedAgent>
  /** Returns the process to start for a session. The caller writes the files and starts the process. */
  launchSpec(request: LaunchRequest): LaunchSpec
  /** The permission modes that a client may ask for. */
  readonly permissionModes: readonly string[]
  /**
   * Checks options beyond their schema, for a new session and before each start. Returns the options to keep. Throws
   * `OptionRefused`, and what `places` throws.
   */
  checkOptions(options: AgentOptions, cwd: string, places: OptionPlaces): AgentOptions
  readonly conversations: Conversations
}

/** A program that can be started: its absolute path, and the version that it reports. */
export interface LocatedAgent {
  path: string
  version: string
}

/** No usable program was found. `tried` has the paths that were tried, in order, each with its problem. */
export class AgentUnavailable extends Error {
  override readonly name = 'AgentUnavailable'
  readonly tried: readonly string[]
  /** How to install the program. */
  readonly install: string

  constructor(message: string, tried: readonly string[], install: string) {
    super(message)
    this.tried = tried
    this.install = install
  }
}

/** The places that options may refer to. Paths are absolute, pointers are JSON pointers in the options. */
export interface OptionPlaces {
  allowBypassPermissions: boolean
  /** Whether sessions may use certain directories only. The two checks throw for a path outside of them. */
  isConfined: boolean
  checkFile(path: string, pointer: string): void
  /** Returns the directory with its links resolved. */
  checkDirectory(path: string, pointer: string): string
}

/**
 * An option that the agent does not accept. Without `expected`, the value is valid, but the configuration forbids it.
 */
export class OptionRefused extends Error {
  override readonly name = 'OptionRefused'
  readonly pointer: string
  readonly expected: string | undefined

  constructor(pointer: string, problem: string, expected?: string) {
    super(problem)
    this.pointer = pointer
    this.expected = expected
  }
}

export interface LaunchRequest {
  /** The path of the program, as `locate` found it. */
  path: string
  conversation: LaunchMode
  options: AgentOptions
  /** Limits of the run that the process is started for. They hold beside those of the options. */
  limits: RunLimits | undefined
  /** Where `files` will be. Only the user may read it, and it is removed with the process. */
  directory: string
  /** The `TMPDIR` of the process. */
  tmpDir: string
}

/**
 * The conversation of a new process: `start` begins one under the given id, `resume` continues one, and `fork` copies
 * the conversation `of`, up to and including the message `at`, to a new one under the id `fork`.
 */
export type LaunchMode = { start: string } | { resume: string } | { fork: string; of: string; at: string }

export interface LaunchSpec {
  command: [string, ...string[]]
  /** The whole environment. */
  env: Record<string, string>
  /** The contents of files by name, to be written to the `directory` of the request. */
  files: ReadonlyMap<string, string>
}

/**
 * The conversations that the agent keeps on disk, those of other programs included. Sessions only read them. An agent
 * that keeps none finds and lists none.
 */
export interface Conversations {
  /** Returns the directory of the conversations of a process with these variables beside the inherited ones. */
  directory(env: Record<string, string> | undefined): string
  /** Looks for a conversation that began in `cwd`. `lookedAt` is a path that does not exist. */
  find(directory: string, id: string, cwd: string): Promise<FoundConversation | { lookedAt: string }>
  /** Reads the end of a found conversation. Rejects if it cannot be read. */
  readEnd(path: string): Promise<ConversationEnd>
  /** Lists conversations that began in `cwd`, at most `limit`, last used first. */
  list(directory: string, cwd: string, limit: number): Promise<KnownConversation[]>
  /** Lists the live processes of the agent that are known to have a conversation open, whoever started them. */
  listOpen(directory: string): Promise<OpenConversation[]>
}

export interface FoundConversation {
  path: string
  /** The directory in which the conversation began, if it is not the requested one. */
  elsewhere?: string
  /** The first prompt; undefined if it is not known. */
  prompt: string | undefined
}

export interface ConversationEnd {
  /** The id of the newest message; undefined if there is none. */
  message: string | undefined
  /**
   * The cost counter in USD from which a process that resumes the conversation continues; undefined if there is none.
   */
  counterUsd: number | undefined
}

export interface KnownConversation {
  id: string
  /** The first prompt; empty if it is not known. */
  prompt: string
  /** Times are ms since epoch. */
  startedAt: number | null
  updatedAt: number
  sizeBytes: number
}

export interface OpenConversation {
  pid: number
  conversationId: string
}

/**
 * The pure half of an agent. It decodes the output of the program to facts that hold for any agent, and encodes
 * commands to lines. It keeps no state outside the decoder, so the same lines always give the same facts.
 */
export interface AgentCodec extends LineParser<LineContent> {
  /** Names the agent in records and in stored state. */
  readonly kind: string
  /** Raised when the state of the decoder or its result for a frame changes. */
  readonly decoderVersion: number
  /** Returns the decoder of a process that has printed nothing yet. */
  begin(launch: Launch): Decoder
  /**
   * Decodes one frame that arrived at `time`, and changes the decoder. A frame whose decoding fails becomes `unparsed`
   * and counts for nothing more. Never throws.
   */
  decode(decoder: Decoder, frame: unknown, time: number): Decoded | { unparsed: Unparsed }
  /** Returns the text of the current turn, for a run that ends without an outcome. */
  said(decoder: Decoder): Said
  /** Forgets the current turn and its text. */
  forgetTurn(decoder: Decoder): void
  /** Returns the failure of a process that ended without an outcome, as far as its output and exit show the reason. */
  exitFailure(decoder: Decoder, exit: Exit): Failure
  /** Returns the agent's own cost counter in USD, for the record of the process. */
  counterUsd(decoder: Decoder): number
  /** Returns the lines that send a command to the process; none if the agent has no such command. */
  encode(decoder: Decoder, command: Command): readonly Line[]
  /** Returns the failure with this code and its texts, for a failure that muxd found. Replaces secrets in `detail`. */
  failure(code: FailureCode, detail: string): Failure
  /** The failure of a prompt that the agent ended without an outcome. */
  readonly endedWithoutResult: Failure
  /** Whether a process that was started for a run with the limits `started` can serve a run with the limits `run`. */
  holdsLimits(started: RunLimits | undefined, run: RunLimits | undefined): boolean
  /** Whether a process that was started with these limits can serve no second run. */
  servesOneRun(limits: RunLimits | undefined): boolean
  /** Returns the first permission rule that the agent would not accept; undefined if it accepts all. */
  badRule(rules: readonly string[], cwd: string): { index: number; problem: string } | undefined
  /** Returns the rule that denies a tool whatever its input; undefined if there is none. Ignores invalid rules. */
  denyingRule(rules: readonly string[], cwd: string, tool: string): string | undefined
  /** Returns the permissions of an answer that makes the agent remember its own suggestions, for this session only. */
  permissionsToRemember(suggestions: readonly unknown[]): unknown[]
  /** Whether a refused change of the mode would be possible in a new process. */
  needsNewProcess(refusal: Answer & { ok: false }): boolean
}

/** A message of a session to its agent's process. `requestId` comes back in the agent's answer. */
export type Command =
  /** Every process gets this command before any other. */
  | { command: 'first' }
  | { command: 'prompt'; id: string; text: string }
  /** The answer to a question; `input` is the input that the agent asked about. */
  | { command: 'answer'; approval: string; requestId: string; answer: QuestionAnswer; input: unknown }
  /** The session will not answer this question, and the agent did not withdraw it. */
  | { command: 'withdraw'; approval: string; requestId: string }
  | { command: 'interrupt'; requestId: string }
  | { command: 'setModel'; requestId: string; model: string }
  | { command: 'setMode'; requestId: string; mode: string }
  /** Replaces the process's permission rules. The rules must be valid. */
  | { command: 'setRules'; requestId: string; rules: readonly string[]; cwd: string }

/** A line for a process. The pty-host does not write a line again whose id it has written before. */
export interface Line {
  lineId: string
  line: string
}

/** `input` is present if it replaces the question's input. `permissions` are those to remember. */
export type QuestionAnswer =
  | { behavior: 'allow'; input?: unknown; permissions?: unknown[] }
  | { behavior: 'deny'; message: string; interrupt?: true }

/** The state that the agent keeps for a process. Plain data, because a snapshot contains it. */
export type Decoder = object

export interface Launch {
  /** The agent's id of the conversation; null if it is not known yet. */
  claudeSessionId: string | null
  /** The cost of the session in USD before this process. */
  costUsd: number
  /** The value of the agent's own cost counter from which this process continues, in USD. */
  counterUsd: number
  /** The process resumes a conversation. */
  resumed: boolean
}

export interface Exit {
  /** Exit code, or 128 + signal; null if it is unknown. */
  status: number | null
  stderrTail: string
  resumed: boolean
  /** The process has printed something other than questions and answers to requests. */
  sawOutput: boolean
}

/**
 * The contents of a frame. Sessions apply them in this order: the start of a turn, the signals, the events, the
 * outcome, the end of a prompt.
 */
export interface Decoded {
  turn?: Turn
  signals: readonly Signal[]
  /** In order, without the outcome. They belong to the run that the frame ends, else to the current one. */
  events: readonly EventBody[]
  /** The end of a turn. */
  outcome?: Outcome
  /** The event that replaces the outcome if that ends no run. */
  spare?: EventBody
  /** A prompt that the agent has ended. It follows the outcome of the prompt's turn. */
  promptEnd?: { prompt: string; completed: boolean }
}

/** The start or the end of a turn, and its origin. */
export interface Turn {
  at: 'started' | 'ended'
  /** Ids of the prompts that the turn answers; several if the agent has merged them. */
  promptUuids: string[]
  /** Set if the agent began the turn itself. Some agents report it only at the end. */
  background: { kind: string } | null
}

export type Signal =
  /** The agent waits for a decision. */
  | { signal: 'asked'; question: Question }
  /** The agent no longer waits for the answer to a question or another request. */
  | { signal: 'withdrawn'; requestId: string }
  /** A request that gets the same answer from every session. */
  | ({ signal: 'reply' } & Reply)
  | ({ signal: 'answered' } & Answer)
  /** All tasks that run in the background now. */
  | { signal: 'background'; tasks: readonly BackgroundTask[] }
  /** The kind of the next turn that the agent begins itself. */
  | { signal: 'cause'; kind: string }
  /** The agent has the prompt. */
  | { signal: 'arrived'; prompt: string }

export interface Question extends ApprovalReason {
  requestId: string
  kind: ApprovalKind
  tool: string
  input: unknown
  toolUseId: string
  description?: string
  /** Permission updates that the agent offers to remember. */
  suggestions?: unknown[]
  /** The lane of the task that asks: the tool use id of its call. */
  parent?: string
  /** The task that asks runs in the background, and outlives the turn. */
  inBackground: boolean
}

export interface Reply extends Line {
  requestId: string
}

/**
 * The answer of the agent to a request of the session. `stillQueued`: ids of prompts that an interrupt did not affect.
 */
export type Answer = { requestId: string; stillQueued: readonly string[] } & (
  | { ok: true }
  | { ok: false; error: string; errorCode: string | null }
)

export interface BackgroundTask {
  id: string
  description?: string
}

export type Outcome = Extract<EventBody, { type: 'done' | 'failed' }>

/** The texts of a turn. */
export type Said = Pick<Outcome, 'response' | 'transcript' | 'responseCut' | 'transcriptCut'>

/** The fields of an `unparsed` event. */
export type Unparsed = Omit<Extract<EventBody, { type: 'unparsed' }>, 'type' | 'parent'>

/** A part of a line: a frame for `decode`, or text that is not a frame. */
export type LineContent = { frame: Record<string, unknown> } | { unparsed: Unparsed }

/**
 * One line of a process's output with the raw log offset behind it and the time when its last byte arrived, in ms since
 * epoch. Lines in a damaged part of the log are one `damaged` line.
 */
export type OutputLine = (LineContent | { damaged: DamagedLines }) & { offset: number; time: number }
