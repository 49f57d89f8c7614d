import { Type, type Static, type TObject } from 'typebox'
import { AvailableAgent } from './agent.ts'
import { Approval, ApprovalAnswer } from './approval.ts'
import { ApprovalId, ClientId, RunId, SessionId, TokenId } from './ids.ts'
import { limits } from './limits.ts'
import { CancelMode, Run, RunLimits, RunState } from './run.ts'
import { Importable, Labels, Session, SessionChanges, SessionNaming, SessionSpec, SessionState } from './session.ts'
import { Subscribers } from './subscribers.ts'
import { Role, Token } from './token.ts'
import { Cursor, Subscribed, Topic } from './topics.ts'
import { Viewers } from './viewers.ts'
import { Workspace, WorkspaceName, WorkspaceSummary } from './workspace.ts'
import { Usage, UsageQuery } from './usage.ts'

const none = Type.Object({})

/**
 * An idempotency key of the caller. A repeated call with the same key, method and params gets the first answer again;
 * with other params it is a `conflict`. A failed call leaves its key free.
 */
const key = Type.Optional(Type.String({ minLength: 1, maxLength: 200 }))
const page = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.maxPageSize })),
  after: Type.Optional(Type.String({ description: '`next` of the page before' })),
}
const next = Type.Optional(Type.String())

/**
 * One row for each method: the shape of its params and result, and its permissions. Methods that change something
 * (`mutates`) or return data that is not for observers (`needsControl`) reject observe tokens with `forbidden`. Secrets
 * in a result are masked, unless the method `showsSecrets` and the caller has the control role. The daemon's handlers
 * and the client's calls are mapped types over this table.
 */
const method = <Params extends TObject, Result extends TObject>(
  params: Params,
  result: Result,
  {
    mutates = false,
    needsControl = mutates,
    showsSecrets = false,
  }: { mutates?: boolean; needsControl?: boolean; showsSecrets?: boolean } = {},
) => ({ params, result, mutates, needsControl, showsSecrets })

const top = {
  /**
   * Opens a connection. Must be the first request; only `ping` may come before. Answers `unsupported_version` if no
   * protocol version matches, and `invalid_request` the second time.
   */
  hello: method(
    Type.Object({
      protocol: Type.Array(Type.Integer(), { minItems: 1, maxItems: 16 }),
      client: Type.Object({
        name: Type.String({ minLength: 1, maxLength: 200 }),
        version: Type.String({ maxLength: 200 }),
      }),
      clientId: Type.Optional(ClientId),
      /** False: this client cannot ask a person, so questions do not wait for it. Default: true. */
      answers: Type.Optional(Type.Boolean()),
    }),
    Type.Object({
      protocol: Type.Integer(),
      clientId: ClientId,
      role: Role,
      daemon: Type.Object({ version: Type.String(), instance: Type.String(), node: Type.String() }),
      /** The agents that the daemon can start now. */
      agents: Type.Array(AvailableAgent),
      limits: Type.Object({
        maxMessageBytes: Type.Integer(),
        maxEventBytes: Type.Integer(),
        maxRuns: Type.Integer(),
        unattendedMs: Type.Integer({
          description: 'a question is denied after so long without a client that can answer; 0: never',
        }),
      }),
    }),
  ),
  ping: method(none, Type.Object({ time: Type.Integer() })),
}

const daemon = {
  status: method(
    none,
    Type.Object({
      version: Type.String(),
      protocol: Type.Integer(),
      node: Type.String(),
      pid: Type.Integer(),
      url: Type.String(),
      home: Type.String(),
      /** The agents that the daemon can start now. */
      agents: Type.Array(AvailableAgent),
      uptimeMs: Type.Integer(),
      sessions: Type.Integer(),
      processes: Type.Integer(),
      runs: Type.Record(Type.String(), Type.Integer(), { description: 'counts by run state' }),
      maxRuns: Type.Integer(),
      connections: Type.Integer(),
      subscriptions: Type.Integer(),
      memory: Type.Object({ rssBytes: Type.Integer(), heapBytes: Type.Integer() }),
      disk: Type.Object({
        databaseBytes: Type.Integer({ description: 'with its write-ahead log' }),
        walBytes: Type.Integer({ description: 'the write-ahead log, which shrinks only when the daemon stops' }),
        walMovedAt: Type.Integer({ description: 'when parts of it were last moved to the database itself' }),
        rawBytes: Type.Integer(),
        freeBytes: Type.Integer(),
      }),
      checkpoints: Type.Object({
        behindBytes: Type.Integer({ description: 'raw log of live processes that no stored event covers yet' }),
        behind: Type.Integer({ description: 'so many processes have any' }),
        furthest: Type.Array(
          Type.Object({
            process: Type.String(),
            session: SessionId,
            rawBytes: Type.Integer(),
            checkpoint: Type.Integer(),
            behindBytes: Type.Integer(),
          }),
        ),
      }),
      subscribers: Subscribers,
      /** The pty-host, the process that owns the terminals. `lost`: none could be started. */
      ptyHost: Type.Object({
        state: Type.Enum(['connected', 'starting', 'lost']),
        processes: Type.Integer(),
        pid: Type.Optional(Type.Integer()),
        version: Type.Optional(Type.String()),
        startedAt: Type.Optional(Type.Integer()),
        uptimeMs: Type.Optional(Type.Integer()),
      }),
      /**
       * Counts since the daemon's start; absent if no notifications are configured. `failed`: the daemon gave up.
       * `dropped`: it never tried.
       */
      notifications: Type.Optional(
        Type.Object({
          sent: Type.Integer(),
          failed: Type.Integer(),
          dropped: Type.Integer(),
          waiting: Type.Integer(),
        }),
      ),
    }),
  ),
  /**
   * Deletes the sessions and drops the raw logs that retention no longer keeps, now instead of within the hour. With
   * `dryRun` it only lists them. Each list has at most 1,000 entries; `more` counts the others. Never deletes a session
   * that is at work.
   */
  gc: method(
    Type.Object({ dryRun: Type.Optional(Type.Boolean()) }),
    Type.Object({
      dryRun: Type.Boolean(),
      sessions: Type.Array(
        Type.Object({
          session: SessionId,
          reason: Type.Enum(['age', 'size']),
          bytes: Type.Integer({ description: 'of its events, about, and of its raw logs' }),
          events: Type.Integer(),
        }),
      ),
      rawLogs: Type.Array(
        Type.Object({
          process: Type.String(),
          session: SessionId,
          reason: Type.Enum(['age', 'size']),
          bytes: Type.Integer(),
        }),
      ),
      more: Type.Object({ sessions: Type.Integer(), rawLogs: Type.Integer() }),
      freedBytes: Type.Integer(),
    }),
    { mutates: true },
  ),
  /**
   * Answers, sends `bye` to all connections, ends active runs as `interrupted`, and exits. With `keepSessions` active
   * runs continue, and the next daemon takes them over. `restart` announces that the caller starts the daemon again:
   * the `bye` has code 4001, and `keepSessions` defaults to true.
   */
  stop: method(
    Type.Object({ keepSessions: Type.Optional(Type.Boolean()), restart: Type.Optional(Type.Boolean()) }),
    none,
    { mutates: true },
  ),
}

const session = {
  /**
   * Creates a session. With `conversationId`: `not_found` if the conversation does not exist, `conflict` if a session
   * already has it or a process has it open.
   */
  create: method(Type.Object({ ...SessionSpec.properties, key }), Session, { mutates: true }),
  /** The only method that returns the values of secret `options`, to the control role only. */
  get: method(Type.Object({ session: SessionId }), Session, { showsSecrets: true }),
  /**
   * Changes the given properties. If a live process refuses the model or mode, answers `invalid_params` with the words
   * of Claude Code and changes nothing. `conversationId: null` is a `conflict` while a run has not ended.
   */
  update: method(Type.Object({ session: SessionId, ...SessionChanges.properties }), Session, { mutates: true }),
  /**
   * Creates a session with the source's directory, options and conversation so far. Later messages in one session do
   * not reach the other. `conflict` while a run of the source has not ended, or if nothing has been said in it yet.
   */
  fork: method(Type.Object({ session: SessionId, ...SessionNaming.properties, key }), Session, { mutates: true }),
  /**
   * Lists the conversations that were begun in a directory, with muxd or without, the last used first. Needs control,
   * because observers may not read what was said elsewhere. `limit` defaults to 200.
   */
  importable: method(
    Type.Object({ cwd: Type.String({ minLength: 1 }), limit: page.limit }),
    Type.Object({ conversations: Type.Array(Importable) }),
    { needsControl: true },
  ),
  /**
   * Lists sessions, newest first. All `labels` must match. `order: "used"` lists sessions that wait for an answer
   * first, then running ones, then the rest, each group by last use.
   */
  list: method(
    Type.Object({
      state: Type.Optional(SessionState),
      labels: Type.Optional(Labels),
      order: Type.Optional(Type.Enum(['created', 'used'])),
      ...page,
    }),
    Type.Object({ sessions: Type.Array(Session), next }),
  ),
  /** Lists the clients that are subscribed to `session/<id>`. */
  viewers: method(Type.Object({ session: SessionId }), Viewers),
  /**
   * Ends the process. The log is kept, and the next run starts a new process. `conflict` while a run is active, unless
   * `force`. `sweep` also ends the processes in `left`.
   */
  close: method(
    Type.Object({ session: SessionId, force: Type.Optional(Type.Boolean()), sweep: Type.Optional(Type.Boolean()) }),
    Session,
    { mutates: true },
  ),
  /** Deletes the session, its runs and its logs. `conflict` while a run is active, unless `force`. */
  delete: method(Type.Object({ session: SessionId, force: Type.Optional(Type.Boolean()) }), none, { mutates: true }),
}

const run = {
  /**
   * Starts or queues a run. Requires exactly one of `session` and `create`. The prompt must contain more than white
   * space.
   */
  start: method(
    Type.Object({
      session: Type.Optional(SessionId),
      create: Type.Optional(SessionSpec),
      prompt: Type.String(),
      limits: Type.Optional(RunLimits),
      key,
    }),
    Run,
    { mutates: true },
  ),
  get: method(Type.Object({ run: RunId }), Run),
  /** Lists runs, newest first. Positions in queues do not affect the order; see `position`. */
  list: method(
    Type.Object({ session: Type.Optional(SessionId), state: Type.Optional(RunState), ...page }),
    Type.Object({ runs: Type.Array(Run), next }),
  ),
  /** Answers when the run has ended, or after `timeoutMs` with its current state. */
  wait: method(
    Type.Object({ run: RunId, timeoutMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 86_400_000 })) }),
    Run,
  ),
  /**
   * Moves a queued run to another position in its session's queue: 0 is the next, and a position beyond the end is the
   * last. `conflict` (with `state`) once the run has started.
   */
  move: method(Type.Object({ run: RunId, to: Type.Integer({ minimum: 0 }) }), Run, { mutates: true }),
  /**
   * Requests the end of a run, also of a queued one. Idempotent; a later call with a stronger `mode` escalates. Answers
   * with the current run, which becomes `cancelled` only when its turn or process has ended.
   */
  cancel: method(
    Type.Object({
      run: RunId,
      reason: Type.Optional(Type.String({ maxLength: 2_000 })),
      mode: Type.Optional(CancelMode),
    }),
    Run,
    { mutates: true },
  ),
}

const approval = {
  /** Lists approvals, newest first; pending ones unless `state` says otherwise. */
  list: method(
    Type.Object({ session: Type.Optional(SessionId), state: Type.Optional(Approval.properties.state), ...page }),
    Type.Object({ approvals: Type.Array(Approval), next }),
  ),
  get: method(Type.Object({ approval: ApprovalId }), Approval),
  /**
   * Answers a question. The first valid answer wins, and is stored before this call returns. A later one is a
   * `conflict` with `by` and `decision`.
   */
  answer: method(Type.Object({ ...ApprovalAnswer.properties, key }), Approval, { mutates: true }),
}

const topic = {
  /**
   * Places this connection's cursor on a topic. A second call moves the cursor, so no event comes twice. The answer
   * precedes the first `events`. With `window` (bytes) the daemon sends at most that much ahead of the client's
   * `topic.ack`.
   */
  subscribe: method(
    Type.Object({
      topic: Topic,
      since: Type.Optional(Type.Union([Cursor, Type.Literal('start'), Type.Literal('end')])),
      window: Type.Optional(Type.Integer({ minimum: 1_024 })),
    }),
    Subscribed,
  ),
  unsubscribe: method(Type.Object({ topic: Topic }), none),
  /**
   * Reads one page without a subscription: events with `seq > after`, from `first` on if the log was trimmed beyond
   * `after`.
   */
  read: method(
    Type.Object({
      topic: Topic,
      after: Type.Integer({ minimum: 0 }),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.maxPageSize })),
    }),
    Type.Object({
      epoch: Type.String(),
      first: Type.Integer(),
      events: Type.Array(Type.Unknown()),
      head: Type.Integer(),
    }),
  ),
}

const event = {
  /** Returns the whole event, even if it was sent `cut`. */
  get: method(Type.Object({ topic: Topic, seq: Type.Integer({ minimum: 1 }) }), Type.Object({ event: Type.Unknown() })),
}

const token = {
  /**
   * Creates a token. Only this answer contains the `secret`; the daemon keeps its hash. Without `expiresAfterMs` the
   * token is valid until it is revoked.
   */
  create: method(
    Type.Object({
      name: Type.String({ minLength: 1, maxLength: 200 }),
      role: Role,
      expiresAfterMs: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.maxTokenLifeMs })),
    }),
    Type.Object({ token: Token, secret: Type.String() }),
    { mutates: true },
  ),
  /**
   * Lists the valid tokens: the two built-in ones first, then the others, oldest first. Revoked and expired tokens are
   * not listed.
   */
  list: method(none, Type.Object({ tokens: Type.Array(Token) }), { needsControl: true }),
  /**
   * Revokes a token and closes its connections with 4501. A built-in token is replaced: the home's `daemon.json` has
   * the new secret.
   */
  revoke: method(Type.Object({ id: TokenId }), none, { mutates: true }),
  /**
   * Creates a link that lets one browser open the page, once, within ten minutes. The page exchanges the code behind
   * the `#` for a token of its own with this role.
   */
  link: method(Type.Object({ role: Role }), Type.Object({ url: Type.String(), expiresAt: Type.Integer() }), {
    mutates: true,
  }),
}

const workspace = {
  get: method(Type.Object({ workspace: WorkspaceName }), Workspace),
  /** Lists workspaces by name. */
  list: method(none, Type.Object({ workspaces: Type.Array(WorkspaceSummary) })),
  /**
   * Creates or replaces a workspace. With `base`, only if `base` is the current revision (0: the workspace does not
   * exist), else `conflict` with the current `revision`. So a client replaces only what it has seen.
   */
  save: method(
    Type.Object({
      workspace: WorkspaceName,
      layout: Type.Unknown(),
      base: Type.Optional(Type.Integer({ minimum: 0 })),
    }),
    WorkspaceSummary,
    { mutates: true },
  ),
  delete: method(Type.Object({ workspace: WorkspaceName }), none, { mutates: true }),
}

const usage = {
  /** Returns what runs have used, including those of deleted sessions. By default grouped by day and model. */
  get: method(UsageQuery, Usage),
}

/** All methods by namespace, except `hello` and `ping`, which have none. */
export const methods = { daemon, session, run, approval, topic, event, token, workspace, usage }
export const topMethods = top

export type Methods = typeof methods
export type Namespace = keyof Methods

type Row = { params: TObject; result: TObject }
export type ParamsOf<M extends Row> = Static<M['params']>
export type ResultOf<M extends Row> = Static<M['result']>

/** The call interface that both sides derive: `api.run.start(params) -> Promise<result>`. */
export type Api = {
  [N in Namespace]: {
    [M in keyof Methods[N]]: Methods[N][M] extends Row
      ? (params: ParamsOf<Methods[N][M]>) => Promise<ResultOf<Methods[N][M]>>
      : never
  }
}
export type GcResult = ResultOf<typeof daemon.gc>
export type DaemonStatus = ResultOf<typeof daemon.status>
export type HelloParams = ParamsOf<typeof top.hello>
export type HelloResult = ResultOf<typeof top.hello>
