import { failure, message, text } from '../reply.ts'
import type { Scenario } from './scenario.ts'

/** One row for each error class of the API. Every attempt gets the error. */
export const errors: Record<string, Scenario> = {
  'error-400': () => failure(400, 'invalid_request_error', 'messages: at least one message is required'),
  'error-401': () => failure(401, 'authentication_error', 'invalid x-api-key'),
  'error-403': () =>
    failure(403, 'permission_error', 'Your API key does not have permission to use the specified resource.'),
  'error-404': ({ body }) => failure(404, 'not_found_error', `model: ${body.model}`),
  'error-413': () => failure(413, 'request_too_large', 'Request exceeds the maximum size'),
  'error-429': () =>
    failure(429, 'rate_limit_error', 'This request would exceed your rate limit.', { 'retry-after': '1' }),
  'error-500': () => failure(500, 'api_error', 'Internal server error'),
  'error-529': () => failure(529, 'overloaded_error', 'Overloaded'),
  'low-credit': () =>
    failure(
      400,
      'invalid_request_error',
      'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.',
    ),
  'prompt-too-long': () => failure(400, 'invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum'),
  refusal: () => message([text('I')], { stopReason: 'refusal' }),
  'max-tokens': () => message([text('This goes on and')], { stopReason: 'max_tokens' }),
  'hang-up': () => 'hang up',
}
