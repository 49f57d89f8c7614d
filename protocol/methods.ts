import { Type, type Static, type TObject } from 'typebox'
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
const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()])

/** An idempotency key of the caller's: the same key with the same params gives the first answer again. */
const key = Type.Optional(Type.String({ minLength: 1, maxLength: 200 }))
const page = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.maxPageSize })),
  after: Type.Optional(Type.String({ description: '`next` of the page before' })),
}
const next = Type.Optional(Type.String())

/**
 * One row a method: the shape of its params and of its result, and whether it changes anything (`mutates`). To one that
 * does an observe token gets `forbidden`, and so it does to one that tells what is not for it (`needsControl`). The
 * daemon's handlers and the client's calls are mapped types over this table. Secrets in a result are masked, unless the
 * method `showsSecrets` and the caller has the control role.
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
  /** Must be the first request of a connection (only `ping` may come before). Answers `unsupported_version`. */
  hello: method(
    Type.Object({
      protocol: Type.Array(Type.Integer(), { minItems: 1, maxItems: 16 }),
      client: Type.Object({
        name: Type.String({ minLength: 1, maxLength: 200 }),
        version: Type.String({ maxLength: 200 }),
      }),
      clientId: Type.Optional(ClientId),
      /** False: this client cannot ask a person, so questions do not wait for it. */
      answers: Type.Optional(Type.Boolean()),
    }),
    Type.Object({
      protocol: Type.Integer(),
      clientId: ClientId,
      role: Role,
      daemon: Type.Object({ version: Type.String(), instance: Type.String(), node: Type.String() }),
      claude: nullable(Type.Object({ path: Type.String(), version: Type.String() })),
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
      claude: nullable(Type.Object({ path: Type.String(), version: Type.String() })),
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
      /** The process that owns the terminals. `lost`: none could be started. */
      holder: Type.Object({
        state: Type.Enum(['connected', 'starting', 'lost']),
        processes: Type.Integer(),
        pid: Type.Optional(Type.Integer()),
        version: Type.Optional(Type.String()),
        startedAt: Type.Optional(Type.Integer()),
        uptimeMs: Type.Optional(Type.Integer()),
      }),
      /** Since the daemon's start; absent where none are configured. `failed`: given up, `dropped`: never tried. */
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
   * Deletes the sessions and reduces the raw logs that retention no longer keeps, now instead of within the hour; with
   * `dryRun` it only tells which. Of each list the first thousand, `more` are beyond. Never a session that is at work.
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
   * Answers, then sends `bye` to everyone, ends what runs as `interrupted`, and exits. `keepSessions`: what runs goes
   * on, and the next daemon takes it over. `restart`: whoever asks starts it again, so that the `bye` says 4001; keeps
   * sessions unless told otherwise.
   */
  stop: method(
    Type.Object({ keepSessions: Type.Optional(Type.Boolean()), restart: Type.Optional(Type.Boolean()) }),
    none,
    { mutates: true },
  ),
}

const session = {
  /** With `claudeSessionId`: `not_found` where there is no such conversation, `conflict` where it is open elsewhere. */
  create: method(Type.Object({ ...SessionSpec.properties, key }), Session, { mutates: true }),
  /** The one answer that has the values of `claude`'s secret options, for the control role. */
  get: method(Type.Object({ session: SessionId }), Session, { showsSecrets: true }),
  /**
   * Changes what is given. Where a live process refuses the model or the mode: `invalid_params` with its words, and
   * nothing is changed. To begin anew is a `conflict` while a run has not ended.
   */
  update: method(Type.Object({ session: SessionId, ...SessionChanges.properties }), Session, { mutates: true }),
  /**
   * A new session with the source's directory, options and conversation as it is now; what is said in either later is not
   * known to the other. `conflict` while a run of the source has not ended, or when nothing has been said in it yet.
   */
  fork: method(Type.Object({ session: SessionId, ...SessionNaming.properties, key }), Session, { mutates: true }),
  /** Conversations begun in a directory, with muxd or without, the last used first: what was said elsewhere is not for observers. */
  importable: method(
    Type.Object({ cwd: Type.String({ minLength: 1 }), limit: page.limit }),
    Type.Object({ conversations: Type.Array(Importable) }),
    { needsControl: true },
  ),
  /**
   * Newest first. `labels` must all match. `order: "used"`: sessions that wait for an answer first, then running ones, then
   * the rest, each by last use.
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
  /** Who watches it: the clients that are subscribed to `session/<id>`. */
  viewers: method(Type.Object({ session: SessionId }), Viewers),
  /**
   * Ends the process; the log is kept and a next run starts it again. `conflict` while a run is active unless `force`. `sweep`
   * also ends the processes of `left`.
   */
  close: method(
    Type.Object({ session: SessionId, force: Type.Optional(Type.Boolean()), sweep: Type.Optional(Type.Boolean()) }),
    Session,
    { mutates: true },
  ),
  /** Removes the session, its runs and its logs. `conflict` while a run is active unless `force`. */
  delete: method(Type.Object({ session: SessionId, force: Type.Optional(Type.Boolean()) }), none, { mutates: true }),
}

const run = {
  /** Exactly one of `session` and `create`. The prompt must hold more than white space. */
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
  /** Newest first, whatever their places in queues: `position` tells those. */
  list: method(
    Type.Object({ session: Type.Optional(SessionId), state: Type.Optional(RunState), ...page }),
    Type.Object({ runs: Type.Array(Run), next }),
  ),
  /** Answers once the run has ended, or with its present state after `timeoutMs`. */
  wait: method(
    Type.Object({ run: RunId, timeoutMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 86_400_000 })) }),
    Run,
  ),
  /**
   * Gives a queued run another place in the queue of its session: 0 is the next, one beyond the end the last. `conflict`
   * (with its `state`) once it has been started.
   */
  move: method(Type.Object({ run: RunId, to: Type.Integer({ minimum: 0 }) }), Run, { mutates: true }),
  /**
   * Asks for the end of a run: idempotent, also for a queued one; a later call with a stronger `mode` escalates. The
   * answer is the run as it is then: it is `cancelled` only when the turn or the process is really over.
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
  /** Newest first; pending ones unless `state` says otherwise. */
  list: method(
    Type.Object({ session: Type.Optional(SessionId), state: Type.Optional(Approval.properties.state), ...page }),
    Type.Object({ approvals: Type.Array(Approval), next }),
  ),
  get: method(Type.Object({ approval: ApprovalId }), Approval),
  /** The first valid answer wins and is stored when it is confirmed; a later one is a `conflict` with `by` and `decision`. */
  answer: method(Type.Object({ ...ApprovalAnswer.properties, key }), Approval, { mutates: true }),
}

const topic = {
  /**
   * Puts this connection's cursor on a topic; again: moves it, so that nothing comes twice. The answer precedes the
   * first `events`. With `window` (bytes) at most that much is sent ahead of the client's `topic.ack`.
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
  /** A page without subscribing: events with `seq > after`, from `first` on where the log was trimmed beyond `after`. */
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
  /** The whole event, also where it was sent `cut`. */
  get: method(Type.Object({ topic: Topic, seq: Type.Integer({ minimum: 1 }) }), Type.Object({ event: Type.Unknown() })),
}

const token = {
  /** Lets somebody else in. The `secret` is told this once: only its hash is kept. Without `expiresAfterMs` until it is revoked. */
  create: method(
    Type.Object({
      name: Type.String({ minLength: 1, maxLength: 200 }),
      role: Role,
      expiresAfterMs: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.maxTokenLifeMs })),
    }),
    Type.Object({ token: Token, secret: Type.String() }),
    { mutates: true },
  ),
  /** The two built-in ones first, then those that were made, oldest first. Those that were revoked or have expired are gone. */
  list: method(none, Type.Object({ tokens: Type.Array(Token) }), { needsControl: true }),
  /**
   * It counts no more, and connections that came in with it are closed with 4501. A built-in one is replaced instead:
   * the home's `daemon.json` has the new secret.
   */
  revoke: method(Type.Object({ id: TokenId }), none, { mutates: true }),
  /**
   * A link to the page that lets in one browser, once, within ten minutes: the page exchanges the code behind its `#` for
   * a token of its own with this role.
   */
  link: method(Type.Object({ role: Role }), Type.Object({ url: Type.String(), expiresAt: Type.Integer() }), {
    mutates: true,
  }),
}

const workspace = {
  get: method(Type.Object({ workspace: WorkspaceName }), Workspace),
  /** By name. */
  list: method(none, Type.Object({ workspaces: Type.Array(WorkspaceSummary) })),
  /**
   * Makes or replaces it. With `base`, only if that is still its revision (0: if there is none), else `conflict` with the
   * `revision` there is: whoever saves has seen what it replaces.
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
  /** What runs have cost, also those of sessions that are deleted. By day and model unless asked otherwise. */
  get: method(UsageQuery, Usage),
}

/** Every method, by namespace; `hello` and `ping` have none. */
export const methods = { daemon, session, run, approval, topic, event, token, workspace, usage }
export const topMethods = top

export type Methods = typeof methods
export type Namespace = keyof Methods

type Row = { params: TObject; result: TObject }
export type ParamsOf<M extends Row> = Static<M['params']>
export type ResultOf<M extends Row> = Static<M['result']>

/** The call surface that both sides derive: `api.run.start(params) -> Promise<result>`. */
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
