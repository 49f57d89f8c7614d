import { describe, expect, test } from 'vitest'
import {
  type ApiError,
  classifyExit,
  classifyResult,
  type ExitContext,
} from '../../daemon/agents/claude/facts/failure.ts'
import type { FailureCode } from '../../protocol/index.ts'
import { ofType, translate } from './support/replay.ts'

describe('a result that is an error is classified by its fields', () => {
  const context = { resumed: false, sawInit: true, apiError: null, refused: false, blockedBy: null, rateLimit: null }
  const apiError = (error: string | null, status: number | null = null, type: string | null = null): ApiError => ({
    error,
    status,
    type,
  })
  const api = { subtype: 'success', is_error: true, terminal_reason: 'api_error' }

  const rows: [string, object, object, FailureCode, boolean][] = [
    ['the limit of turns', { subtype: 'error_max_turns', terminal_reason: 'max_turns' }, {}, 'max_turns', false],
    ['the budget', { subtype: 'error_max_budget_usd' }, {}, 'max_budget', false],
    ['the budget, by its reason', { terminal_reason: 'budget_exhausted' }, {}, 'max_budget', false],
    [
      'a prompt that is too long',
      { ...api, terminal_reason: 'prompt_too_long', api_error_status: 400 },
      {},
      'context_exceeded',
      false,
    ],
    ['an answer that is too long', api, { apiError: apiError('max_output_tokens') }, 'context_exceeded', false],
    [
      'a key that is not accepted',
      { ...api, api_error_status: 401 },
      { apiError: apiError('authentication_failed', 401) },
      'auth',
      false,
    ],
    ['no sign-in', api, { apiError: apiError('authentication_failed') }, 'auth', false],
    ['a status alone', { ...api, api_error_status: 403 }, {}, 'auth', false],
    ['no credit', { ...api, api_error_status: 400 }, { apiError: apiError('billing_error', 400) }, 'billing', false],
    [
      'no credit, by the API’s type',
      { ...api, api_error_status: 400, api_error_type: 'billing_error' },
      {},
      'billing',
      false,
    ],
    [
      'a model that does not exist',
      { ...api, api_error_status: 404 },
      { apiError: apiError('model_not_found', 404) },
      'model_not_found',
      false,
    ],
    [
      'too many requests',
      { ...api, api_error_status: 429 },
      { apiError: apiError('rate_limit', 429) },
      'rate_limited',
      true,
    ],
    [
      'a plan that is used up',
      { ...api, api_error_status: 429 },
      { apiError: apiError('rate_limit', 429), rateLimit: { rejected: true, resetsAt: null } },
      'usage_limit',
      true,
    ],
    [
      'an overloaded API',
      { ...api, api_error_status: 529 },
      { apiError: apiError('server_error', 529) },
      'overloaded',
      true,
    ],
    [
      'a failing API',
      { ...api, api_error_status: 500 },
      { apiError: apiError('server_error', 500) },
      'overloaded',
      true,
    ],
    [
      'a request the API does not accept',
      { ...api, api_error_status: 400 },
      { apiError: apiError('invalid_request', 400) },
      'invalid_request',
      false,
    ],
    ['a refusal', { ...api, stop_reason: 'refusal' }, { apiError: apiError('invalid_request') }, 'refused', false],
    ['a refusal in an earlier frame', api, { refused: true }, 'refused', false],
    ['an API that was not reached', api, { apiError: apiError('unknown') }, 'network', true],
    [
      'an unknown conversation',
      { subtype: 'error_during_execution' },
      { resumed: true, sawInit: false },
      'resume_failed',
      false,
    ],
    [
      'an error before the first turn of a new conversation',
      { subtype: 'error_during_execution' },
      { sawInit: false },
      'unknown',
      false,
    ],
    ['an error in a resumed conversation', { subtype: 'error_during_execution' }, { resumed: true }, 'unknown', false],
    [
      'an interrupt from outside muxd',
      { subtype: 'error_during_execution', terminal_reason: 'aborted_tools' },
      {},
      'killed',
      true,
    ],
    [
      'a sign-in that the policy forbids',
      { subtype: 'error_during_execution', startup_failure_reason: 'org_pin_mismatch' },
      {},
      'auth',
      false,
    ],
    [
      'a start that failed',
      { subtype: 'error_during_execution', startup_failure_reason: 'cwd_unavailable' },
      { resumed: true, sawInit: false },
      'spawn_failed',
      false,
    ],
    [
      'something new',
      { subtype: 'error_something_new', terminal_reason: 'new', error: 'constructor' },
      { apiError: apiError('toString', null, '__proto__') },
      'unknown',
      false,
    ],
  ]

  test.each(rows)('%s', (_what, frame, more, code, retryable) => {
    const failure = classifyResult({ ...frame }, { ...context, ...more })
    expect(failure).toMatchObject({ code, retryable })
    expect(failure.title).toMatch(/^[A-Z].{20,120}$/)
    expect(failure.advice).toMatch(/^[A-Z].{10,120}$/)
  })

  test('with the reset time of a usage limit, if that is known', () => {
    const limit = (resetsAt: number | null, rejected = true) => ({
      ...context,
      apiError: apiError('rate_limit', 429),
      rateLimit: { rejected, resetsAt },
    })
    const resetsAt = Date.UTC(2031, 4, 6, 7, 8, 9)
    expect(classifyResult(api, limit(resetsAt))).toMatchObject({
      code: 'usage_limit',
      resetsAt,
      advice: 'Wait until it is reset at 2031-05-06 07:08 UTC, or change the plan',
    })
    for (const other of [limit(null), limit(9e15), limit(resetsAt, false)])
      expect(classifyResult(api, other)).not.toHaveProperty('resetsAt')
    const exit = { status: 1, sawOutput: true, resumed: false, stderrTail: '' }
    expect(classifyExit({ ...exit, ...limit(resetsAt) })).toMatchObject({ code: 'usage_limit', resetsAt })
  })

  test('never by words in its text', () => {
    const result = 'rate limit 429 overloaded invalid api key prompt is too long credit balance'
    expect(classifyResult({ subtype: 'success', is_error: true, result }, context)).toMatchObject({
      code: 'unknown',
      detail: result,
    })
  })

  test('with the messages of Claude Code as the detail', () => {
    expect(classifyResult({ errors: ['one', 'two'], result: 'not this' }, context).detail).toBe('one\ntwo')
    expect(classifyResult({}, context).detail).toBe('')
  })
})

test('a resumed process whose first frame is an error result fails as resume_failed', () => {
  const frame = {
    type: 'result',
    subtype: 'error_during_execution',
    is_error: true,
    errors: ['No conversation found with session ID: x'],
  }
  const [failed] = ofType(translate([frame], { resumed: true, claudeSessionId: 'x' }), 'failed')
  expect(failed?.failure.code).toBe('resume_failed')
})

describe('a process that ended without a result is classified by how it ended', () => {
  const rows: [string, Partial<ExitContext>, object][] = [
    [
      'a program that is not there',
      { status: 127, stderrTail: 'sh: 1: claude: not found' },
      { code: 'spawn_failed', exitCode: 127, stderrTail: 'sh: 1: claude: not found' },
    ],
    ['a program that may not be run', { status: 126 }, { code: 'spawn_failed', exitCode: 126 }],
    [
      'SIGKILL',
      { status: 137, sawOutput: true },
      { code: 'killed', signal: 'SIGKILL', retryable: true, detail: 'ended by SIGKILL' },
    ],
    ['SIGTERM', { status: 143, sawOutput: true }, { code: 'killed', signal: 'SIGTERM' }],
    ['SIGHUP', { status: 129 }, { code: 'killed', signal: 'SIGHUP' }],
    ['SIGINT', { status: 130 }, { code: 'killed', signal: 'SIGINT' }],
    ['SIGSEGV', { status: 139, sawOutput: true }, { code: 'crashed', signal: 'SIGSEGV' }],
    [
      'a killed process, whatever the API said',
      { status: 137, apiError: { error: 'overloaded', type: null, status: 529 } },
      { code: 'killed' },
    ],
    [
      'an API that was failing',
      { status: 1, sawOutput: true, apiError: { error: 'overloaded', type: null, status: 529 } },
      { code: 'overloaded', exitCode: 1 },
    ],
    [
      'an API that was not reached',
      { status: 1, apiError: { error: 'unknown', type: null, status: null } },
      { code: 'network' },
    ],
    [
      'an unknown conversation',
      { status: 1, resumed: true, stderrTail: 'No conversation found with session ID: 1' },
      { code: 'resume_failed' },
    ],
    [
      'the same words without a resume',
      { status: 1, stderrTail: 'No conversation found with session ID: 1' },
      { code: 'crashed' },
    ],
    [
      'a conversation that is open elsewhere',
      { status: 1, stderrTail: 'Error: Session ID 1-2 is already in use.' },
      { code: 'in_use' },
    ],
    ['an unknown option', { status: 1, stderrTail: "error: unknown option '--x'" }, { code: 'spawn_failed' }],
    [
      'a full disk',
      { status: 1, sawOutput: true, stderrTail: 'ENOSPC: no space left on device, write' },
      { code: 'disk_full' },
    ],
    ['no sign-in', { status: 1, stderrTail: 'Not logged in · Please run /login' }, { code: 'auth' }],
    ['no network', { status: 1, stderrTail: 'connect ECONNREFUSED 127.0.0.1:1' }, { code: 'network' }],
    ['no memory', { status: 1, stderrTail: 'FATAL ERROR: JavaScript heap out of memory' }, { code: 'crashed' }],
    ['success without output', { status: 0 }, { code: 'no_output', exitCode: 0 }],
    ['success in the middle of an answer', { status: 0, sawOutput: true }, { code: 'crashed', exitCode: 0 }],
    ['an error without output', { status: 3 }, { code: 'crashed', exitCode: 3, detail: 'exit status 3' }],
    ['no exit record', { status: null, sawOutput: true }, { code: 'crashed', detail: 'no exit status was recorded' }],
  ]

  test.each(rows)('%s', (_what, exit, expected) => {
    const failure = classifyExit({ status: 1, sawOutput: false, resumed: false, stderrTail: '', ...exit })
    expect(failure).toMatchObject(expected)
    expect(failure.title).toMatch(/^[A-Z].{20,120}$/)
    expect(failure.advice).toMatch(/^[A-Z].{10,120}$/)
    expect('exitCode' in failure && 'signal' in failure).toBe(false)
  })
})
