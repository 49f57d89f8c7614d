import { failure, message, text, type ErrorReply, type MessageReply } from '../reply.ts'
import type { Scenario } from './scenario.ts'

const well = () => message([text('Well in the end.')])
const first =
  (reply: ErrorReply | MessageReply): Scenario =>
  ({ attempt }) =>
    attempt === 0 ? reply : well()

/** The first attempt fails; the next succeeds. */
export const retries: Record<string, Scenario> = {
  'retry-529': first(failure(529, 'overloaded_error', 'Overloaded')),
  'retry-500': first(failure(500, 'api_error', 'Internal server error')),
  'retry-429': first(failure(429, 'rate_limit_error', 'Slow down.', { 'retry-after': '1' })),
  /** Text that is withdrawn because the stream reports an error. */
  'withdrawn-error': first(message([text('This will be withdrawn.')], { broken: 'error event' })),
  /** Text that is withdrawn because the connection drops, late enough for the text to arrive first. */
  'withdrawn-drop': first(message([text('This will be withdrawn.')], { broken: 'dropped', pieceMs: 20 })),
  /** An error that asks for a retry after 30 s, so that a test can cancel the run in between. */
  'slow-retry': () => failure(529, 'overloaded_error', 'Overloaded', { 'retry-after': '30' }),
}
