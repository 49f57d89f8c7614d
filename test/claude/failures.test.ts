import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ClaudeOptions, FailureCode } from '../../protocol/index.ts'
import { startSuite, type Suite } from './support/suite.ts'
import { ofType, one, play, streamedText } from './support/watch.ts'

let suite: Suite
beforeAll(async () => {
  suite = await startSuite()
})
afterAll(() => suite.close())

test.each<[scenario: string, code: FailureCode, retryable: boolean, detail: RegExp]>([
  ['error-400', 'invalid_request', false, /at least one message is required/],
  ['error-401', 'auth', false, /API key/],
  ['error-403', 'auth', false, /permission/],
  ['error-404', 'model_not_found', false, /model/],
  ['error-413', 'invalid_request', false, /too large/],
  ['error-429', 'rate_limited', true, /429/],
  ['error-500', 'overloaded', true, /500/],
  ['error-529', 'overloaded', true, /Overloaded/],
  ['low-credit', 'billing', false, /Credit balance/],
  ['prompt-too-long', 'context_exceeded', false, /too long/i],
  ['refusal', 'refused', false, /safeguards|Usage Policy/],
  ['max-tokens', 'context_exceeded', false, /output token maximum/],
  ['hang-up', 'network', true, /Connection|ECONNRESET/],
])('%s fails the run with %s, and the session goes on', async (scenario, code, retryable, detail) => {
  const events = await play(suite.mux, { prompt: `scn:${scenario}`, cwd: suite.cwd })
  const { failure } = one(events, 'failed')
  expect(failure).toMatchObject({ code, retryable, detail: expect.stringMatching(detail) as string })

  const { session } = await suite.mux.api.run.get({ run: events[0]!.run! })
  const next = await play(suite.mux, { prompt: 'scn:text:afterwards', session })
  expect(one(next, 'done').response).toContain('afterwards')
})

test.each<[name: string, options: ClaudeOptions, code: FailureCode]>([
  ['maxTurns', { maxTurns: 2 }, 'max_turns'],
  ['maxBudgetUsd', { maxBudgetUsd: 0.00001 }, 'max_budget'],
])('a run that reaches %s fails', async (_name, options, code) => {
  const events = await play(suite.mux, { prompt: 'scn:loop', cwd: suite.cwd, options })
  expect(one(events, 'failed').failure.code).toBe(code)
})

test('options that Claude Code refuses fail the run with its output on stderr', async () => {
  const options = { mcpConfig: ['{"mcpServers": 5}'] }
  const events = await play(suite.mux, { prompt: 'scn:text', cwd: suite.cwd, options })
  const { failure } = one(events, 'failed')
  expect(failure).toMatchObject({
    exitCode: 1,
    stderrTail: expect.stringContaining('MCP') as string,
  })
})

describe('a retried request', () => {
  test.each(['retry-529', 'retry-500', 'retry-429'])('%s emits api_retry, and the run is done', async scenario => {
    const events = await play(suite.mux, { prompt: `scn:${scenario}`, cwd: suite.cwd })
    const status = Number(scenario.slice(-3))
    expect(ofType(events, 'api_retry')).toMatchObject([{ attempt: 1, maxRetries: 2, status }])
    expect(one(events, 'done').response).toBe('Well in the end.')
  })

  test.each(['withdrawn-error', 'withdrawn-drop'])('%s discards the text that was streamed before', async scenario => {
    const events = await play(suite.mux, { prompt: `scn:${scenario}`, cwd: suite.cwd })
    const { messageId } = one(events, 'message_discarded')
    const withdrawn = ofType(events, 'assistant_text').filter(event => event.messageId === messageId)
    expect(withdrawn.map(event => event.delta).join('')).toMatch(/^This will/)
    expect(streamedText(events)).toBe('Well in the end.')
    expect(one(events, 'done').response).toBe('Well in the end.')
  })
})
