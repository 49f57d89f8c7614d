import type { Failure, FailureCode } from '../../protocol/index.ts'
import { countOf, nameOf, type Shape, shapeOf, stringOf, stringsOf } from './shape.ts'

/** What the API answered that was an error, as Claude Code passes it on. `status` is null without an HTTP answer. */
export interface ApiError {
  /** Claude Code's word for it (`authentication_failed`), null when it gave none. */
  error: string | null
  /** The API's (`authentication_error`). */
  type: string | null
  status: number | null
}

/** The subscription's latest word on its limits. `resetsAt` is ms since epoch. */
export interface RateLimit {
  rejected: boolean
  resetsAt: number | null
}

/** What is known of a turn beside its `result`. */
export interface ResultContext {
  resumed: boolean
  /** The process has begun a turn. */
  sawInit: boolean
  apiError: ApiError | null
  refused: boolean
  rateLimit: RateLimit | null
}

export interface ExitContext {
  /** `$?` of the shell: the exit code, or 128 + signal; null when the process was lost without an exit record. */
  status: number | null
  /** It has printed something on stdout. */
  sawOutput: boolean
  /** It was started with `--resume`. */
  resumed: boolean
  stderrTail: string
  apiError?: ApiError | null
}

/** A row of the tables below: the code, and a title where the code's own does not say it. */
interface Verdict {
  code: FailureCode
  title?: string
  retryable?: boolean
}

/** Why a `result` that is an error is one: from its structured fields, the most specific first. Never from its text. */
export function classifyResult(frame: Shape, context: ResultContext): Failure {
  const { apiError } = context
  const status = countOf(frame['api_error_status']) ?? apiError?.status ?? null
  const verdict =
    rowOf(subtypes, frame['subtype']) ??
    startupFailure(frame) ??
    (frame['stop_reason'] === 'refusal' || context.refused ? ({ code: 'refused' } satisfies Verdict) : undefined) ??
    rowOf(terminalReasons, frame['terminal_reason']) ??
    usageLimit(apiError, status, context.rateLimit) ??
    rowOf(apiErrors, apiError?.error) ??
    rowOf(apiErrorTypes, frame['api_error_type'] ?? apiError?.type) ??
    (status === null ? undefined : httpStatus(status)) ??
    withoutAnswer(frame, apiError) ??
    // An unknown `--resume` id ends the process before any turn.
    (context.resumed && !context.sawInit ? ({ code: 'resume_failed' } satisfies Verdict) : undefined) ??
    ({ code: 'unknown' } satisfies Verdict)
  return failure(verdict, detailOf(frame))
}

/** Why a process ended without a `result`: from what the API said, then its exit status, the stderr tail last. */
export function classifyExit({ status, sawOutput, resumed, stderrTail, apiError }: ExitContext): Failure {
  const signal = status === null ? undefined : signals[status]
  const ended: Pick<Failure, 'exitCode' | 'signal' | 'stderrTail'> = {
    ...(status !== null && !signal && { exitCode: status }),
    ...(signal && { signal: signal.name }),
    ...(stderrTail !== '' && { stderrTail }),
  }
  const verdict =
    (signal && signal.verdict) ??
    ((status === 126 || status === 127) && !sawOutput ? ({ code: 'spawn_failed' } satisfies Verdict) : undefined) ??
    (apiError && apiVerdict(apiError)) ??
    stderrSigns.find(sign => (!sign.resumed || resumed) && sign.pattern.test(stderrTail))?.verdict ??
    withoutSign(status, sawOutput)
  return { ...failure(verdict, stderrTail.trim() || describeExit(status, signal?.name)), ...ended }
}

/** `Object.hasOwn`, for the key comes from outside and `constructor` is no row. */
function rowOf(table: Record<string, Verdict>, key: unknown): Verdict | undefined {
  return typeof key === 'string' && Object.hasOwn(table, key) ? table[key] : undefined
}

/** What a code says when nothing more is known, and whether the same prompt may succeed later. */
const codes: Record<FailureCode, { title: string; retryable: boolean }> = {
  rate_limited: { title: 'The API refused more requests for now; wait a minute and run it again', retryable: true },
  overloaded: { title: 'The API is overloaded or failing; run it again in a while', retryable: true },
  usage_limit: { title: "The plan's usage limit is reached; wait for its reset or change the plan", retryable: true },
  billing: { title: 'The account cannot pay for the request; check its credit and billing', retryable: false },
  auth: { title: 'Claude Code is not signed in; run `claude` and /login, or check the API key', retryable: false },
  context_exceeded: { title: 'The conversation is too long for the model; start a new session', retryable: false },
  max_turns: { title: 'The limit of turns is reached; raise maxTurns or go on with another prompt', retryable: false },
  max_budget: { title: 'The budget is used up; raise maxBudgetUsd', retryable: false },
  refused: { title: 'The model refused the request; rephrase it', retryable: false },
  invalid_request: { title: 'The API did not accept the request; see the detail', retryable: false },
  model_not_found: {
    title: 'The model does not exist or is not open to this account; choose another',
    retryable: false,
  },
  network: { title: 'The API could not be reached; check the network and the proxy', retryable: true },
  crashed: { title: 'Claude Code ended before it had finished; run it again', retryable: true },
  killed: { title: 'Claude Code was killed from outside; run it again', retryable: true },
  hung: { title: 'Claude Code did not answer any more and was ended; run it again', retryable: true },
  no_output: { title: 'Claude Code ended without printing anything; try `claude` in a terminal', retryable: true },
  spawn_failed: {
    title: 'Claude Code could not be started; check the installation with `muxd doctor`',
    retryable: false,
  },
  resume_failed: {
    title: 'Claude Code does not know this conversation any more; start a new session',
    retryable: false,
  },
  disk_full: { title: 'The disk is full; free some space and run it again', retryable: true },
  unknown: { title: 'The run failed; see the detail', retryable: false },
}

const interrupted: Verdict = { code: 'killed', title: 'The turn was interrupted from outside; run it again' }

const subtypes: Record<string, Verdict> = {
  error_max_turns: { code: 'max_turns' },
  error_max_budget_usd: { code: 'max_budget' },
  error_max_structured_output_retries: {
    code: 'unknown',
    title: 'The model did not give the structured output that was asked for; simplify the schema',
    retryable: true,
  },
}

const terminalReasons: Record<string, Verdict> = {
  max_turns: { code: 'max_turns' },
  budget_exhausted: { code: 'max_budget' },
  prompt_too_long: { code: 'context_exceeded' },
  blocking_limit: { code: 'context_exceeded' },
  rapid_refill_breaker: {
    code: 'context_exceeded',
    title: 'The conversation fills up again as soon as it is compacted; start a new session',
  },
  image_error: { code: 'invalid_request', title: 'An image could not be sent; make it smaller or leave it out' },
  malformed_tool_use_exhausted: {
    code: 'unknown',
    title: 'The model kept writing tool calls that cannot be read; run it again',
    retryable: true,
  },
  structured_output_retry_exhausted: subtypes['error_max_structured_output_retries']!,
  aborted_streaming: interrupted,
  aborted_tools: interrupted,
  hook_stopped: { code: 'unknown', title: 'A hook stopped the turn; see the detail and the hooks in the settings' },
  stop_hook_prevented: {
    code: 'unknown',
    title: 'A hook stopped the turn; see the detail and the hooks in the settings',
  },
  turn_setup_failed: { code: 'spawn_failed', title: 'Claude Code could not begin the turn; see the detail' },
}

const signInAgain: Verdict = {
  code: 'auth',
  title: 'The API did not accept the sign-in; run `claude` and /login, or check the API key',
}

/** The words of an `assistant` frame's or an `api_retry`'s `error`. */
const apiErrors: Record<string, Verdict> = {
  authentication_failed: signInAgain,
  oauth_org_not_allowed: { code: 'auth', title: 'The organization does not allow this sign-in; ask its administrator' },
  verification_required: { code: 'auth', title: 'The account must be verified first; sign in on the web' },
  account_on_hold: { code: 'billing', title: 'The account is on hold; sign in on the web to see why' },
  cloud_credential_error: { code: 'auth', title: 'The cloud credentials were not accepted; renew them' },
  billing_error: { code: 'billing' },
  rate_limit: { code: 'rate_limited' },
  overloaded: { code: 'overloaded' },
  model_not_found: { code: 'model_not_found' },
  max_output_tokens: {
    code: 'context_exceeded',
    title: 'The answer was longer than the model may write; ask for less at a time',
  },
}

/** The types of the API's error bodies. */
const apiErrorTypes: Record<string, Verdict> = {
  authentication_error: signInAgain,
  permission_error: { code: 'auth', title: 'The API key may not do this; check its permissions' },
  billing_error: { code: 'billing' },
  rate_limit_error: { code: 'rate_limited' },
  overloaded_error: { code: 'overloaded' },
  request_too_large: { code: 'context_exceeded' },
  not_found_error: { code: 'model_not_found' },
  timeout_error: { code: 'network', title: 'The API took too long to answer; run it again' },
  api_error: { code: 'overloaded' },
  invalid_request_error: { code: 'invalid_request' },
}

function httpStatus(status: number): Verdict | undefined {
  if (status === 401 || status === 403) return signInAgain
  if (status === 402) return { code: 'billing' }
  if (status === 404) return { code: 'model_not_found' }
  if (status === 408) return { code: 'network' }
  if (status === 413) return { code: 'context_exceeded' }
  if (status === 429) return { code: 'rate_limited' }
  if (status >= 500) return { code: 'overloaded' }
  if (status >= 400) return { code: 'invalid_request' }
  return undefined
}

/** A plan that is used up answers like a busy API; only its rate limit event tells the two apart. */
function usageLimit(apiError: ApiError | null, status: number | null, limit: RateLimit | null): Verdict | undefined {
  if (!limit?.rejected || (apiError?.error !== 'rate_limit' && status !== 429)) return undefined
  if (limit.resetsAt === null) return { code: 'usage_limit' }
  const resets = isoMinute(limit.resetsAt)
  return { code: 'usage_limit', title: `The plan's usage limit is reached; it is reset at ${resets}` }
}

/** An error of the API's without any answer of the API's: it was not reached, or what it said was general. */
function withoutAnswer(frame: Shape, apiError: ApiError | null): Verdict | undefined {
  if (apiError?.error === 'invalid_request') return { code: 'invalid_request' }
  if (frame['terminal_reason'] === 'api_error' || apiError?.error === 'server_error') return { code: 'network' }
  return undefined
}

function apiVerdict(apiError: ApiError): Verdict | undefined {
  return (
    rowOf(apiErrors, apiError.error) ??
    rowOf(apiErrorTypes, apiError.type) ??
    (apiError.status === null ? { code: 'network' } : httpStatus(apiError.status))
  )
}

const signInReasons = new Set([
  'org_pin_api_key_conflict',
  'provider_not_allowed',
  'org_verify_failed',
  'org_pin_mismatch',
  'gateway_signin_required',
  'gateway_access_denied',
])

/** A known reason why Claude Code did not even begin. */
function startupFailure(frame: Shape): Verdict | undefined {
  const reason = nameOf(frame['startup_failure_reason'])
  if (reason === undefined) return undefined
  if (signInReasons.has(reason))
    return {
      code: 'auth',
      title: `Claude Code refused to start (${reason}); check the sign-in and the managed settings`,
    }
  return { code: 'spawn_failed', title: `Claude Code refused to start (${reason}); see the detail` }
}

interface Signal {
  name: string
  verdict: Verdict
}

const killed = (name: string): Signal => ({ name, verdict: { code: 'killed' } })
const crashed = (name: string): Signal => ({
  name,
  verdict: { code: 'crashed', title: `Claude Code crashed (${name}); run it again` },
})

/** Exit statuses of a shell that stand for signals. */
const signals: Record<number, Signal> = {
  129: killed('SIGHUP'),
  130: killed('SIGINT'),
  132: crashed('SIGILL'),
  133: crashed('SIGTRAP'),
  134: crashed('SIGABRT'),
  135: crashed('SIGBUS'),
  136: crashed('SIGFPE'),
  137: {
    name: 'SIGKILL',
    verdict: { code: 'killed', title: 'Claude Code was killed from outside, perhaps for want of memory; run it again' },
  },
  139: crashed('SIGSEGV'),
  141: killed('SIGPIPE'),
  143: killed('SIGTERM'),
}

/** What Claude Code or the system writes to stderr before it ends without a frame. */
const stderrSigns: readonly { pattern: RegExp; verdict: Verdict; resumed?: true }[] = [
  { pattern: /no conversation found/i, verdict: { code: 'resume_failed' }, resumed: true },
  { pattern: /ENOSPC|EDQUOT|no space left on device|disk quota exceeded/i, verdict: { code: 'disk_full' } },
  {
    pattern: /session id \S+ is already in use/i,
    verdict: { code: 'spawn_failed', title: 'Another Claude Code process has this conversation open; end it first' },
  },
  {
    pattern: /unknown option|unknown argument|error: option|error: unknown/i,
    verdict: { code: 'spawn_failed', title: 'Claude Code does not know an option it was started with; update it' },
  },
  { pattern: /invalid api key|please run \/login|not logged in/i, verdict: { code: 'auth' } },
  { pattern: /ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN/, verdict: { code: 'network' } },
  {
    pattern: /heap out of memory/i,
    verdict: { code: 'crashed', title: 'Claude Code ran out of memory; start a new session' },
  },
]

function withoutSign(status: number | null, sawOutput: boolean): Verdict {
  if (status === null) return { code: 'crashed', title: 'The process was lost; run it again' }
  if (status === 0 && !sawOutput) return { code: 'no_output' }
  if (status === 0) return { code: 'crashed', title: 'Claude Code ended in the middle of its answer; run it again' }
  return { code: 'crashed', title: `Claude Code ended with status ${status} before it had finished; see the detail` }
}

function describeExit(status: number | null, signal: string | undefined): string {
  if (status === null) return 'no exit status was recorded'
  return signal ? `ended by ${signal}` : `exit status ${status}`
}

/** What Claude Code says about it: `errors` of an error result, else the text of one that is called a success. */
function detailOf(frame: Shape): string {
  const errors = stringsOf(frame['errors'])
  if (errors.length > 0) return errors.join('\n')
  return stringOf(frame['result']) ?? stringOf(shapeOf(frame['error'])?.['message']) ?? stringOf(frame['error']) ?? ''
}

function failure({ code, title, retryable }: Verdict, detail: string): Failure {
  return { code, title: title ?? codes[code].title, detail, retryable: retryable ?? codes[code].retryable }
}

/** Beyond what a date can be there is no time to name. */
function isoMinute(timeMs: number): string {
  return Math.abs(timeMs) > 8.64e15 ? 'an unknown time' : `${new Date(timeMs).toISOString().slice(0, 16)}Z`
}
