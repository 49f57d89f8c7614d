/**
 * Every bound of the protocol. Sizes are bytes and durations milliseconds, unless the name or comment says otherwise.
 * Each comment says what happens at the bound; PROTOCOL.md repeats the bounds that a client has to know.
 */
export const limits = {
  /** A larger inbound message closes the connection with 1009. */
  maxMessageBytes: 4 * 1024 * 1024,
  /**
   * WebSocket frames of one message, and socket reads that one message may span; more close the connection with 1008.
   */
  maxMessagePieces: 16_384,
  /** Nesting of objects and arrays in a message, the message itself included; deeper: `invalid_request`. */
  maxMessageDepth: 128,
  /** A larger event is sent with its large strings cut and with `cut: { bytes }`; `event.get` returns it whole. */
  maxEventBytes: 256 * 1024,
  /**
   * One line that Claude Code prints: its nesting, its JSON values (approximately), and the content blocks of its
   * message. A line over a bound becomes `unparsed` (`too_deep`; `too_many_values` for values and blocks).
   */
  maxFrameDepth: 500,
  maxFrameValues: 1_000_000,
  maxFrameBlocks: 10_000,
  /**
   * Characters that a run keeps of its turn: the text of one block, the transcript of its terminal event, and the
   * response. A longer text loses its end, a transcript its oldest entries; `responseCut` and `transcriptCut` say how
   * much. The events of the turn stay whole.
   */
  maxBlockLength: 16 * 1024 * 1024,
  maxTranscriptLength: 16 * 1024 * 1024,
  maxTranscriptEntries: 50_000,
  maxResponseLength: 4 * 1024 * 1024,
  /** The end of a process's stderr that is kept. The process may write more; older output is dropped. */
  maxStderrBytes: 64 * 1024,
  /**
   * Processes started by one process that the pty-host remembers. Beyond that, a sweep finds only those with the mark
   * in their environment.
   */
  maxStartedProcesses: 1_000,
  /** Processes in a session's `left`, and the length in characters of the command of each. `more` counts the others. */
  maxLeftProcesses: 50,
  maxLeftCommandLength: 200,
  /** Tasks named in `background_lost`. */
  maxLostTasks: 100,
  /** Tool calls, sub-agents and frames of a turn that the translator remembers; beyond that it forgets the oldest. */
  maxRemembered: 10_000,
  /** The largest amount of US dollars in Claude Code's output; a larger one counts as missing. */
  maxUsd: 1_000_000_000,
  /** Prompt of one run; larger: `invalid_params`. */
  maxPromptBytes: 3 * 1024 * 1024,
  /** Active runs over all sessions, unless configured; further runs queue. */
  maxRuns: 8,
  /** Queued runs over all sessions; one more answers `overloaded`. */
  maxQueuedRuns: 1_000,
  /** Bytes of all queued prompts over all sessions, because they wait in memory; one more answers `overloaded`. */
  maxQueuedBytes: 64 * 1024 * 1024,
  /** `timeoutMs` and `inactivityMs` of a run; longer: `invalid_params`. */
  maxRunLimitMs: 7 * 24 * 60 * 60_000,
  /** Open connections; one more is refused with 503. */
  maxConnections: 1_024,
  /**
   * Open connections with the observe role; one more is refused with 503. The lower bound keeps observers from locking
   * out clients with the control role.
   */
  maxObservers: 768,
  /** Subscriptions of one connection; one more answers `limit`. */
  maxSubscriptions: 1_024,
  /** Calls of one connection without an answer yet; one more answers `overloaded`. */
  maxCallsInFlight: 256,
  /** Labels of a session, and the length in characters of each key and value; more: `invalid_params`. */
  maxLabels: 32,
  maxLabelLength: 256,
  /**
   * Approval rules of a session, characters of each rule, characters of a deny's message, and the longest expiry; more:
   * `invalid_params`.
   */
  maxRules: 200,
  maxRuleLength: 1_000,
  maxDenialLength: 20_000,
  maxExpiresAfterMs: 30 * 24 * 60 * 60_000,
  /** Open questions of a session; muxd denies one more (`by.policy` is `too many open questions`). */
  maxOpenApprovals: 256,
  /** muxd denies a question after this time without a client that can answer, unless configured; 0: never. */
  unattendedMs: 60_000,
  /** Default and largest page size of `topic.read` and of the lists. */
  defaultPageSize: 200,
  maxPageSize: 1_000,
  /**
   * Approximate bytes of one answer of a list. A page ends with the record that passes this size, even below `limit`.
   */
  listPageBytes: 1024 * 1024,
  /** Approximate bytes of one answer to `topic.read`. The answer ends with the event that passes this size. */
  readPageBytes: 1024 * 1024,
  /** Rows that `usage.get` adds up, including those beyond its `limit`; more: `limit`. */
  maxUsageGroups: 100_000,
  /** Characters of the first prompt in a session's record and in `session.importable`; a longer one is cut. */
  maxFirstPrompt: 200,
  /**
   * The time in which a live process must answer a change of model or mode; later: `overloaded`, and nothing changes.
   */
  updateTimeoutMs: 30_000,
  /** Window of a subscription; a larger window counts as this size. */
  maxWindowBytes: 16 * 1024 * 1024,
  /**
   * Connections listed in `daemon.status`, and subscriptions of each; those furthest behind come first and `more`
   * counts the others.
   */
  maxSubscribersShown: 100,
  maxCursorsShown: 20,
  /** Viewers listed for a session; `more` counts the others. */
  maxViewersShown: 100,
  /**
   * Delay between the first change of a session's viewers and `viewers_changed`, and the number of sessions reported at
   * once. The other sessions wait for another such delay.
   */
  viewersEveryMs: 250,
  viewersAtOnce: 16,
  /** A connection without `hello` after this time is closed with 4506. */
  helloTimeoutMs: 5_000,
  /** A connection that was idle for this time gets a `heartbeat`. WebSocket pings use the same interval. */
  heartbeatMs: 15_000,
  /** A connection without a pong for this time is closed with 4012. */
  pongTimeoutMs: 30_000,
  /** A connection with unsent data and without progress for this time is closed with 4008. */
  stallTimeoutMs: 60_000,
  /** A connection that does not complete its close in this time is destroyed. */
  closeTimeoutMs: 5_000,
  /** The time in which an HTTP request, with headers and body, must arrive. */
  requestTimeoutMs: 10_000,
  /** Unsent bytes of a connection above which it gets no live pushes until it has drained. */
  highWaterBytes: 256 * 1024,
  /** Approximate bytes of one `events` notification. It ends with the event that passes this size. */
  eventsPageBytes: 64 * 1024,
  /**
   * Unsent bytes of a connection above which its further calls answer `overloaded`: it sends calls and does not read
   * the answers.
   */
  maxUnreadBytes: 4 * 1024 * 1024,
  /**
   * Unsent bytes of answers over all connections of a role, above which calls of that role answer `overloaded`. This
   * bounds the memory that many connections which do not read can take, and keeps observers from taking that of the
   * control role. Meanwhile the daemon does not read from a connection with more than `eventsPageBytes` unsent.
   */
  maxRoleUnreadBytes: 64 * 1024 * 1024,
  /** Notifications that wait for one target; one more drops the oldest. */
  maxNotificationsWaiting: 100,
  /** Failed tokens within `authWindowMs`. After that every attempt answers 429 until the window has passed. */
  authFailures: 10,
  authWindowMs: 60_000,
  /** Workspaces (more: `limit`), characters of a name and bytes of a layout (more: `invalid_params`). */
  maxWorkspaces: 100,
  maxWorkspaceNameLength: 64,
  maxLayoutBytes: 128 * 1024,
  /**
   * Lifetime of a link to the page, which works once, and the number of open links; one more invalidates the oldest.
   */
  pageCodeLifeMs: 10 * 60_000,
  maxPageCodes: 64,
  /** Lifetime of a page's token, and the number of such tokens; one more revokes the one that was used longest ago. */
  pageTokenLifeMs: 30 * 24 * 60 * 60_000,
  maxPageTokens: 64,
  /** Bytes of a request that exchanges a code; more: 413. */
  maxExchangeBytes: 1_024,
  /** Tokens besides the built-in ones; one more answers `limit`. */
  maxTokens: 256,
  /** The longest lifetime of a token (ten years); longer: `invalid_params`. */
  maxTokenLifeMs: 10 * 365 * 24 * 60 * 60_000,
} as const

/** The same bounds as plain numbers, for values from the configuration or shorter ones in tests. */
export type Limits = { readonly [Name in keyof typeof limits]: number }
