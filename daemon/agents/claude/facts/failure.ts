import type { Failure, FailureCode } from '../../../../protocol/index.ts'
import { failureTexts } from './failure-texts.ts'
import { redact } from '../../../log/redact.ts'
import { countOf, nameOf, type Shape, shapeOf, stringOf, stringsOf } from '../frame/shape.ts'

/** An error of the API, as Claude Code reports it. `status` is null if there was no HTTP answer. */
export interface ApiError {
  /** The name that Claude Code uses (`authentication_failed`); null if it gave none. */
  error: string | null
  /** The name that the API uses (`authentication_error`). */
  type: string | null
  status: number | null
  /** The API had begun its answer. */
  midAnswer?: boolean
  /** Claude Code had retried the request before. */
  retried?: boolean
}

/** The latest state of the plan's usage limit. `resetsAt` is ms since epoch. */
export interface RateLimit {
  rejected: boolean
  resetsAt: number | null
}

/** Facts about a turn beside its `result`. */
export interface ResultContext {
  resumed: boolean
  /** The process has begun a turn. */
  sawInit: boolean
  apiError: ApiError | null
  refused: boolean
  /** The message of the hook that refused the prompt. */
  blockedBy: string | null
  rateLimit: RateLimit | null
}

export interface ExitContext {
  /** `$?` of the shell: the exit code, or 128 + signal. Null if the process was lost without an exit record. */
  status: number | null
  /** The process has printed something other than questions and answers to requests. */
  sawOutput: boolean
  /** The process was started with `--resume`. */
  resumed: boolean
  stderrTail: string
  apiError?: ApiError | null
  rateLimit?: RateLimit | null
}

/** A row of the tables below: the code, and fields that override the texts of the code. */
interface Verdict {
  code: FailureCode
  title?: string
  advice?: string
  retryable?: boolean
  resetsAt?: number
}

/** Classifies an error `result` by its structured fields, the most specific first, and never by its text. */
export function classifyResult(frame: Shape, context: ResultContext): Failure {
  const { apiError } = context
  const status = countOf(frame['api_error_status']) ?? apiError?.status ?? null
  const verdict =
    (context.blockedBy === null ? undefined : ({ code: 'hook_blocked' } satisfies Verdict)) ??
    rowOf(subtypes, frame['subtype']) ??
    startupFailure(frame) ??
    (frame['stop_reason'] === 'refusal' || context.refused ? ({ code: 'refused' } satisfies Verdict) : undefined) ??
    rowOf(terminalReasons, frame['terminal_reason']) ??
    usageLimit(apiError, status, context.rateLimit) ??
    rowOf(apiErrors, apiError?.error) ??
    rowOf(apiErrorTypes, frame['api_error_type'] ?? apiError?.type) ??
    (status === null ? undefined : httpStatus(status)) ??
    withoutAnswer(frame, apiError) ??
    // With an unknown `--resume` id, the process ends before any turn.
    (context.resumed && !context.sawInit ? ({ code: 'resume_failed' } satisfies Verdict) : undefined) ??
    ({ code: 'unknown' } satisfies Verdict)
  return failureOf(verdict, context.blockedBy ?? detailOf(frame))
}

/**
 * Classifies an end without a `result`: by signal or status 126 and 127, then API error, then stderr, then exit status.
 */
export function classifyExit(context: ExitContext): Failure {
  const { status, sawOutput, resumed, stderrTail, apiError, rateLimit } = context
  const signal = status === null ? undefined : signals[status]
  const ended: Pick<Failure, 'exitCode' | 'signal' | 'stderrTail'> = {
    ...(status !== null && !signal && { exitCode: status }),
    ...(signal && { signal: signal.name }),
    ...(stderrTail !== '' && { stderrTail: redact(stderrTail) }),
  }
  const verdict =
    (signal && signal.verdict) ??
    ((status === 126 || status === 127) && !sawOutput ? ({ code: 'spawn_failed' } satisfies Verdict) : undefined) ??
    usageLimit(apiError, apiError?.status ?? null, rateLimit) ??
    (apiError && apiVerdict(apiError)) ??
    stderrSigns.find(sign => (!sign.resumed || resumed) && sign.pattern.test(stderrTail))?.verdict ??
    withoutSign(status, sawOutput)
  return { ...failureOf(verdict, stderrTail.trim() || describeExit(status, signal?.name)), ...ended }
}

/** Uses `Object.hasOwn`, because the key is external input and `constructor` is not a row. */
function rowOf(table: Record<string, Verdict>, key: unknown): Verdict | undefined {
  return typeof key === 'string' && Object.hasOwn(table, key) ? table[key] : undefined
}

const interrupted: Verdict = { code: 'killed', title: 'The turn was interrupted from outside', advice: 'Run it again' }

const subtypes: Record<string, Verdict> = {
  error_max_turns: { code: 'max_turns' },
  error_max_budget_usd: { code: 'max_budget' },
  error_max_structured_output_retries: {
    code: 'unknown',
    title: 'The model did not give the structured output that was asked for',
    advice: 'Simplify the schema',
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
    title: 'The conversation fills up again as soon as it is compacted',
    advice: 'Start a new session',
  },
  image_error: {
    code: 'invalid_request',
    title: 'An image could not be sent',
    advice: 'Make it smaller or leave it out',
  },
  malformed_tool_use_exhausted: {
    code: 'unknown',
    title: 'The model kept writing tool calls that cannot be read',
    advice: 'Run it again',
    retryable: true,
  },
  structured_output_retry_exhausted: subtypes['error_max_structured_output_retries']!,
  aborted_streaming: interrupted,
  aborted_tools: interrupted,
  hook_stopped: {
    code: 'unknown',
    title: 'A hook stopped the turn',
    advice: 'See the detail and the hooks in the settings',
  },
  stop_hook_prevented: {
    code: 'unknown',
    title: 'A hook stopped the turn',
    advice: 'See the detail and the hooks in the settings',
  },
  turn_setup_failed: { code: 'spawn_failed', title: 'Claude Code could not begin the turn', advice: 'See the detail' },
}

const brokenOff: Verdict = {
  code: 'overloaded',
  title: 'The API broke off its answer',
  advice: 'Run it again; what it said so far is kept',
}

const signInAgain: Verdict = {
  code: 'auth',
  title: 'The API did not accept the sign-in',
  advice: 'Run `claude` and /login, or check the API key',
}

/** The values of `error` in `assistant` and `api_retry` frames. */
const apiErrors: Record<string, Verdict> = {
  authentication_failed: signInAgain,
  oauth_org_not_allowed: {
    code: 'auth',
    title: 'The organization does not allow this sign-in',
    advice: 'Ask its administrator',
  },
  verification_required: { code: 'auth', title: 'The account must be verified first', advice: 'Sign in on the web' },
  account_on_hold: { code: 'billing', title: 'The account is on hold', advice: 'Sign in on the web to see why' },
  cloud_credential_error: {
    code: 'auth',
    title: 'The cloud credentials were not accepted',
    advice: 'Renew the credentials',
  },
  billing_error: { code: 'billing' },
  rate_limit: { code: 'rate_limited' },
  overloaded: { code: 'overloaded' },
  model_not_found: { code: 'model_not_found' },
  max_output_tokens: {
    code: 'context_exceeded',
    title: 'The answer was longer than the model may write',
    advice: 'Ask for less at a time',
  },
}

/** The types in error bodies of the API. */
const apiErrorTypes: Record<string, Verdict> = {
  authentication_error: signInAgain,
  permission_error: { code: 'auth', title: 'The API key may not do this', advice: 'Check its permissions' },
  billing_error: { code: 'billing' },
  rate_limit_error: { code: 'rate_limited' },
  overloaded_error: { code: 'overloaded' },
  request_too_large: { code: 'context_exceeded' },
  not_found_error: { code: 'model_not_found' },
  timeout_error: { code: 'network', title: 'The API took too long to answer', advice: 'Run it again' },
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

/**
 * A used-up plan answers like a busy API. Only the rate limit event distinguishes the two and has the time of the
 * reset.
 */
function usageLimit(
  apiError: ApiError | null | undefined,
  status: number | null,
  limit: RateLimit | null | undefined,
): Verdict | undefined {
  if (!limit?.rejected || (apiError?.error !== 'rate_limit' && status !== 429)) return undefined
  const { resetsAt } = limit
  // A `Date` cannot hold a time beyond this bound.
  if (resetsAt === null || Math.abs(resetsAt) > 8.64e15) return { code: 'usage_limit' }
  const minute = new Date(resetsAt).toISOString().slice(0, 16).replace('T', ' ')
  return { code: 'usage_limit', advice: `Wait until it is reset at ${minute} UTC, or change the plan`, resetsAt }
}

/** An API error without a type or status: the API was not reached, or its error was general. */
function withoutAnswer(frame: Shape, apiError: ApiError | null): Verdict | undefined {
  if (apiError?.midAnswer) return brokenOff
  if (apiError?.error === 'invalid_request') return { code: 'invalid_request' }
  if (frame['terminal_reason'] === 'api_error' || apiError?.error === 'server_error') return { code: 'network' }
  // 2.1.139 has no name for a failed connection, but retries it.
  if (apiError?.error === 'unknown' && apiError.retried) return { code: 'network' }
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

/** The reason that Claude Code gives for a failed start. */
function startupFailure(frame: Shape): Verdict | undefined {
  const reason = nameOf(frame['startup_failure_reason'])
  if (reason === undefined) return undefined
  if (signInReasons.has(reason))
    return {
      code: 'auth',
      title: `Claude Code refused to start (${reason})`,
      advice: 'Check the sign-in and the managed settings',
    }
  return { code: 'spawn_failed', title: `Claude Code refused to start (${reason})`, advice: 'See the detail' }
}

interface Signal {
  name: string
  verdict: Verdict
}

const killed = (name: string): Signal => ({ name, verdict: { code: 'killed' } })
const crashed = (name: string): Signal => ({
  name,
  verdict: { code: 'crashed', title: `Claude Code crashed (${name})`, advice: 'Run it again' },
})

/** The exit statuses of a shell that stand for signals. */
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
    verdict: {
      code: 'killed',
      title: 'Claude Code was killed from outside, perhaps for want of memory',
      advice: 'Run it again',
    },
  },
  139: crashed('SIGSEGV'),
  141: killed('SIGPIPE'),
  143: killed('SIGTERM'),
}

/** Texts that Claude Code or the system writes to stderr before an end without a frame. */
const stderrSigns: readonly { pattern: RegExp; verdict: Verdict; resumed?: true }[] = [
  { pattern: /no conversation found/i, verdict: { code: 'resume_failed' }, resumed: true },
  { pattern: /ENOSPC|EDQUOT|no space left on device|disk quota exceeded/i, verdict: { code: 'disk_full' } },
  {
    pattern: /session id \S+ is already in use/i,
    verdict: { code: 'in_use' },
  },
  {
    pattern: /unknown option|unknown argument|error: option|error: unknown/i,
    verdict: {
      code: 'spawn_failed',
      title: 'Claude Code does not know an option it was started with',
      advice: 'Update Claude Code, or leave the option out',
    },
  },
  { pattern: /invalid api key|please run \/login|not logged in/i, verdict: { code: 'auth' } },
  { pattern: /ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN/, verdict: { code: 'network' } },
  {
    pattern: /heap out of memory/i,
    verdict: { code: 'crashed', title: 'Claude Code ran out of memory', advice: 'Start a new session' },
  },
]

function withoutSign(status: number | null, sawOutput: boolean): Verdict {
  if (status === null) return { code: 'crashed', title: 'The process of Claude Code was lost', advice: 'Run it again' }
  if (status === 0 && !sawOutput) return { code: 'no_output' }
  if (status === 0)
    return { code: 'crashed', title: 'Claude Code ended in the middle of its answer', advice: 'Run it again' }
  return {
    code: 'crashed',
    title: `Claude Code ended with status ${status} before it had finished`,
    advice: 'See the detail, then run it again',
  }
}

function describeExit(status: number | null, signal: string | undefined): string {
  if (status === null) return 'no exit status was recorded'
  return signal ? `ended by ${signal}` : `exit status ${status}`
}

/** Returns Claude Code's message: `errors` of an error result, else the text of a result with the subtype `success`. */
function detailOf(frame: Shape): string {
  const errors = stringsOf(frame['errors'])
  if (errors.length > 0) return errors.join('\n')
  return stringOf(frame['result']) ?? stringOf(shapeOf(frame['error'])?.['message']) ?? stringOf(frame['error']) ?? ''
}

/** Returns the failure of a verdict, with secrets removed from its detail and the texts of its code as defaults. */
export function failureOf(verdict: Verdict, detail: string): Failure {
  const { code, title, advice, retryable, resetsAt } = {
    resetsAt: undefined,
    ...failureTexts[verdict.code],
    ...verdict,
  }
  return { code, title, advice, detail: redact(detail), retryable, ...(resetsAt !== undefined && { resetsAt }) }
}

export const endedWithoutResult: Failure = failureOf(
  { code: 'unknown', title: 'Claude Code ended the turn without a result', advice: 'Run it again', retryable: true },
  'no result of this prompt was found in the output',
)
