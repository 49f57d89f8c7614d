import { numberOption, textOption } from '../prompt.ts'
import { errorEnding } from '../result.ts'
import type { Script, Scripts } from '../script.ts'
import {
  abandon,
  apiFailure,
  apiRetry,
  brokenText,
  endMessage,
  endWith,
  frame,
  text,
  tools,
  type ApiFailure,
} from '../steps.ts'
import { bash } from './tools.ts'

/** Scripts that fail, or nearly. */
export const failures: Scripts = {
  fail: {
    apart: true,
    about: 'Fails in one of the ways in which a turn can.',
    options: `kind=overloaded`,
    async *play(scene) {
      const kind = textOption(scene.call, 'kind', 'overloaded')
      const failure = apiFailures[kind]
      const { retries } = failure ?? {}
      if (retries) yield* retry(numberOption(scene.call, 'retries', 2), retries.status, retries.error)
      if (failure) yield apiFailure(failure)
      else yield* (otherFailures[kind] ?? unknownKind)(scene)
    },
  },
  retry: {
    about: 'Requests that are refused for the time being, then an answer.',
    options: 'attempts=2 status=529',
    async *play({ call }) {
      const status = numberOption(call, 'status', 529)
      const error = status === 429 ? 'rate_limit' : status === 529 ? 'overloaded' : 'server_error'
      yield* retry(numberOption(call, 'attempts', 2), status, error, 10)
      yield text(`Recovered after ${status} (simulated).`)
    },
  },
  midstream: {
    about: 'A stream that breaks in the middle: what was said is withdrawn and said anew.',
    options: 'delayMs=45',
    async *play({ call }) {
      yield brokenText('This simulated text will be withdrawn.', numberOption(call, 'delayMs', 45))
      yield abandon()
      yield text('Recovered after a broken stream (simulated).')
    },
  },
}

async function* retry(attempts: number, status: number | null, error: string, most = attempts) {
  for (let attempt = 1; attempt <= attempts; attempt++)
    yield apiRetry(attempt, most, 500 * 2 ** (attempt - 1) + 17 * attempt, status, error)
}

interface Retried {
  retries?: { status: number | null; error: string }
}

const simulated = (words: string) => `${words} (simulated)`

/** API failures by `kind`. The fields are those that the CLI was measured to print. */
const apiFailures: Record<string, ApiFailure & Retried> = {
  rate_limit: {
    retries: { status: 429, error: 'rate_limit' },
    text: simulated('API Error: Request rejected (429) · This request would exceed your rate limit.'),
    error: 'rate_limit',
    status: 429,
    type: 'rate_limit_error',
  },
  overloaded: {
    retries: { status: 529, error: 'overloaded' },
    text: simulated('API Error: Repeated 529 Overloaded errors. The API is at capacity — this is usually temporary.'),
    error: 'server_error',
    status: 529,
    type: 'overloaded_error',
  },
  server: {
    retries: { status: 500, error: 'server_error' },
    text: simulated('API Error: 500 Internal server error. This is a server-side issue, usually temporary.'),
    error: 'server_error',
    status: 500,
    type: 'api_error',
  },
  network: {
    retries: { status: null, error: 'unknown' },
    text: simulated('API Error: Connection dropped (ECONNRESET).'),
    error: 'server_error',
    status: null,
    apiError: 'connection_failed',
  },
  auth: {
    retries: { status: 401, error: 'authentication_failed' },
    text: simulated('Invalid API key · Fix external API key'),
    error: 'authentication_failed',
    status: 401,
    type: 'authentication_error',
  },
  forbidden: {
    text: simulated('Failed to authenticate. API Error: 403 Your API key does not have permission.'),
    error: 'authentication_failed',
    status: 403,
    type: 'permission_error',
  },
  billing: {
    text: simulated('Credit balance is too low'),
    error: 'billing_error',
    status: 400,
    type: 'invalid_request_error',
  },
  invalid_request: {
    text: simulated('API Error: 400 messages: at least one message is required'),
    error: 'unknown',
    status: 400,
    type: 'invalid_request_error',
  },
  not_found: {
    text: simulated("There's an issue with the selected model. It may not exist or you may not have access to it."),
    error: 'model_not_found',
    status: 404,
    type: 'not_found_error',
  },
  prompt_too_long: {
    text: simulated('Prompt is too long'),
    error: 'invalid_request',
    status: 400,
    type: 'invalid_request_error',
    terminalReason: 'prompt_too_long',
  },
}

const otherFailures: Record<string, Script['play']> = {
  async *max_tokens() {
    yield text('This simulated text is cut')
    yield endMessage('max_tokens')
    const words = simulated("API Error: Claude's response exceeded the output token maximum.")
    yield apiFailure({ text: words, error: 'max_output_tokens', status: null, apiError: 'max_output_tokens' })
  },
  async *refusal() {
    yield text('I')
    yield frame(turn => {
      turn.safetyStops += 1
      return {
        type: 'system',
        subtype: 'model_refusal_no_fallback',
        original_model: turn.session.model,
        request_id: turn.message?.requestId,
        api_refusal_category: null,
        api_refusal_explanation: null,
        ...(turn.uuids.length > 0 && { refused_user_message_uuid: turn.uuids[0] }),
        content: '',
      }
    })
    const words = simulated("API Error: the model's safeguards flagged this message.")
    yield apiFailure({ text: words, error: 'invalid_request', status: null, stopReason: 'refusal' })
  },
  async *max_turns() {
    yield tools(bash('echo again', 'Loop', 'again', 200))
    yield endWith(errorEnding('error_max_turns', 'max_turns', ['Reached maximum number of turns (1)']))
  },
  async *budget() {
    yield text('This simulated text has eaten the budget.')
    yield endWith(errorEnding('error_max_budget_usd', 'budget_exhausted', ['Reached maximum budget ($0.01)']))
  },
}

export const failureKinds = [...Object.keys(apiFailures), ...Object.keys(otherFailures)]

const unknownKind: Script['play'] = async function* ({ call }) {
  yield text(`There is no kind ${textOption(call, 'kind', '')}. There are: ${failureKinds.join(', ')}.`, 0)
}
