/**
 * Every bound of the protocol, in one place. Sizes are bytes, durations milliseconds. What happens at a bound is said
 * beside it; PROTOCOL.md repeats the ones a client has to know.
 */
export const limits = {
  /** A larger inbound message closes the connection with 1009. */
  maxMessageBytes: 4 * 1024 * 1024,
  /** Frames of one message, and reads it came in: what comes in more closes the connection with 1008. */
  maxMessagePieces: 16_384,
  /** Objects and arrays in each other, the message itself included; deeper: `invalid_request`. */
  maxMessageDepth: 128,
  /** A larger event is sent with its large strings cut and `cut: { bytes }`; `event.get` has it whole. */
  maxEventBytes: 256 * 1024,
  /**
   * One line that Claude Code prints: its nesting, and its JSON values, about; over one of them it is `unparsed`
   * (`too_deep`, `too_many_values`). Content blocks of one message: more are `too_many_values` too.
   */
  maxFrameDepth: 500,
  maxFrameValues: 1_000_000,
  maxFrameBlocks: 10_000,
  /**
   * Characters of what a run keeps of its turn: the text of one block, the transcript of its terminal event, and the
   * response. What is longer loses the rest, a transcript its oldest entries; `responseCut` and `transcriptCut` say how much.
   * The events of the turn are whole.
   */
  maxBlockLength: 16 * 1024 * 1024,
  maxTranscriptLength: 16 * 1024 * 1024,
  maxTranscriptEntries: 50_000,
  maxResponseLength: 4 * 1024 * 1024,
  /** What is kept of a process's stderr: its end. The process may write more, which is read and dropped. */
  maxStderrBytes: 64 * 1024,
  /** Processes that one process has started and that are remembered; of more, those without the mark in their environment may stay. */
  maxStartedProcesses: 1_000,
  /** Processes in the record of a session that go on after Claude Code has ended, and the length of the command of each; `more` counts the rest. */
  maxLeftProcesses: 50,
  maxLeftCommandLength: 200,
  /** Tasks named in `background_lost`. */
  maxLostTasks: 100,
  /** Tool calls, sub-agents and frames of a turn that are remembered; with one more the oldest is forgotten. */
  maxRemembered: 10_000,
  /** What a number of US dollars in Claude Code's output may be at most: a larger one counts as missing. */
  maxUsd: 1_000_000_000,
  /** Prompt of one run; larger: `invalid_params`. */
  maxPromptBytes: 3 * 1024 * 1024,
  /** Runs at once over all sessions unless configured; further runs queue. */
  maxRuns: 8,
  /** Queued runs over all sessions; one more answers `overloaded`. */
  maxQueuedRuns: 1_000,
  /** Bytes of the prompts that are queued, over all sessions: they wait in memory. One more answers `overloaded`. */
  maxQueuedBytes: 64 * 1024 * 1024,
  /** `timeoutMs` and `inactivityMs` of a run; longer: `invalid_params`. */
  maxRunLimitMs: 7 * 24 * 60 * 60_000,
  /** Open connections; one more is refused with 503. */
  maxConnections: 1_024,
  /** Of them with the observe role, so that who may only watch cannot keep out who acts; one more is refused with 503. */
  maxObservers: 768,
  /** Subscriptions of one connection; one more answers `limit`. */
  maxSubscriptions: 1_024,
  /** Calls of one connection that await their answer; one more answers `overloaded`. */
  maxCallsInFlight: 256,
  /** Labels of a session and the length of each key and value; more: `invalid_params`. */
  maxLabels: 32,
  maxLabelLength: 256,
  /** Approval rules of a session and the length of each; a deny's message; the longest expiry: more is `invalid_params`. */
  maxRules: 200,
  maxRuleLength: 1_000,
  maxDenialLength: 20_000,
  maxExpiresAfterMs: 30 * 24 * 60 * 60_000,
  /** Questions of a session that await an answer; muxd denies one more (`by.policy` `too many open questions`). */
  maxOpenApprovals: 256,
  /** A question is denied after so long without a client that can answer, unless configured; 0: never. */
  unattendedMs: 60_000,
  /** Page size of `topic.read` and of the lists, default and largest. */
  defaultPageSize: 200,
  maxPageSize: 1_000,
  /** Bytes of one answer of a list, about: a page ends with the record that passes this, however many were asked for. */
  listPageBytes: 1024 * 1024,
  /** Bytes of one answer to `topic.read`, about: it ends with the event that passes this. */
  readPageBytes: 1024 * 1024,
  /** Rows that `usage.get` adds up, also those beyond its `limit`; more: `limit`. */
  maxUsageGroups: 100_000,
  /** Length of the first prompt in a session's record and in `session.importable`; a longer one is cut. */
  maxFirstPrompt: 200,
  /** A live process that has not answered to a change of model or mode within so long: `overloaded`, nothing is changed. */
  updateTimeoutMs: 30_000,
  /** Window of a subscription; a larger one counts as this. */
  maxWindowBytes: 16 * 1024 * 1024,
  /** Connections told of in `daemon.status`, and subscriptions of each: those furthest behind, and how many more. */
  maxSubscribersShown: 100,
  maxCursorsShown: 20,
  /** Clients told of as viewers of a session, and how many more. */
  maxViewersShown: 100,
  /** `viewers_changed` comes so long after the first change, of so many sessions at once; the others wait as long again. */
  viewersEveryMs: 250,
  viewersAtOnce: 16,
  /** A connection that has not said `hello` by then is closed with 4506. */
  helloTimeoutMs: 5_000,
  /** A connection that was idle for so long gets a `heartbeat`; WebSocket pings go out at the same pace. */
  heartbeatMs: 15_000,
  /** No pong for so long: 4012. */
  pongTimeoutMs: 30_000,
  /** A connection with unsent data and no progress for so long: 4008. */
  stallTimeoutMs: 60_000,
  /** A connection that was closed but does not go for so long is cut off. */
  closeTimeoutMs: 5_000,
  /** An HTTP request, with its headers and body, has to be there within so long. */
  requestTimeoutMs: 10_000,
  /** Unsent bytes of a connection above which it gets no live push until they have drained. */
  highWaterBytes: 256 * 1024,
  /** Bytes of one `events` notification, about: a page ends with the event that passes this. */
  eventsPageBytes: 64 * 1024,
  /** Unsent bytes of a connection above which its further calls answer `overloaded`: it asks and does not read. */
  maxUnreadBytes: 4 * 1024 * 1024,
  /**
   * Unsent bytes of answers of all connections of a role above which calls of that role answer `overloaded`, so that many
   * connections that do not read cannot take the memory, and observers not that of the control role. A connection that has
   * more than `eventsPageBytes` unsent meanwhile is not read from.
   */
  maxRoleUnreadBytes: 64 * 1024 * 1024,
  /** Notifications that wait for one target; with one more the oldest is dropped. */
  maxNotificationsWaiting: 100,
  /** Failed tokens within `authWindowMs` after which every attempt answers 429 until the window has passed. */
  authFailures: 10,
  authWindowMs: 60_000,
  /** Workspaces, the length of their names, and the bytes of one's layout; more: `limit`, `invalid_params`. */
  maxWorkspaces: 100,
  maxWorkspaceNameLength: 64,
  maxLayoutBytes: 128 * 1024,
  /** A link to the page lets in for so long, once; of more open ones than that the oldest ends. */
  pageCodeLifeMs: 10 * 60_000,
  maxPageCodes: 64,
  /** The token of a page lets in for so long; of more than that the oldest is revoked. */
  pageTokenLifeMs: 30 * 24 * 60 * 60_000,
  maxPageTokens: 64,
  /** Bytes of a request that exchanges a code; more: 413. */
  maxExchangeBytes: 1_024,
  /** Tokens beside the built-in ones; one more answers `limit`. */
  maxTokens: 256,
  /** What a token may be made for at most (ten years); a longer life: `invalid_params`. */
  maxTokenLifeMs: 10 * 365 * 24 * 60 * 60_000,
} as const

/** The same bounds as plain numbers: what is configured, or shortened for a test. */
export type Limits = { readonly [Name in keyof typeof limits]: number }
