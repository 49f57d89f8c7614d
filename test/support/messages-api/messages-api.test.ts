import { afterAll, beforeAll, expect, test } from 'vitest'
import { startMessagesApi, type MessagesApi } from './index.ts'
import { until } from '../until.ts'

let api: MessagesApi
beforeAll(async () => {
  api = await startMessagesApi()
})
afterAll(() => api.close())

type Message = { role: 'user' | 'assistant'; content: unknown }

const post = (messages: Message[], options: { stream?: boolean; session?: string; signal?: AbortSignal } = {}) =>
  fetch(`${api.url}/v1/messages?beta=true`, {
    method: 'POST',
    headers: { 'x-claude-code-session-id': options.session ?? 'session-1' },
    body: JSON.stringify({ model: 'some-model', stream: options.stream ?? true, messages }),
    signal: options.signal ?? null,
  })

const user = (text: string): Message => ({ role: 'user', content: [{ type: 'text', text }] })

interface StreamEvent {
  type: string
  delta?: { text?: string; partial_json?: string; stop_reason?: string }
  content_block?: { type: string; id?: string; name?: string }
}

async function stream(messages: Message[]): Promise<StreamEvent[]> {
  const body = await (await post(messages)).text()
  return body
    .split('\n\n')
    .filter(Boolean)
    .map(event => JSON.parse(event.slice(event.indexOf('data: ') + 6)) as StreamEvent)
}

const textOf = (events: StreamEvent[]) => events.map(event => event.delta?.text ?? '').join('')

test('a text is streamed in pieces between the events of its message and its block', async () => {
  const events = await stream([user('scn:text:one')])
  const types = events.map(event => event.type)
  expect(types.slice(0, 2)).toEqual(['message_start', 'content_block_start'])
  expect(types.slice(-3)).toEqual(['content_block_stop', 'message_delta', 'message_stop'])
  expect(types.filter(type => type === 'content_block_delta').length).toBeGreaterThan(3)
  expect(textOf(events)).toBe('The answer is one, says the stand-in.')
})

test('a message without streaming arrives as one object', async () => {
  const response = await post([user('scn:thinking')], { stream: false })
  expect(await response.json()).toMatchObject({
    model: 'some-model',
    stop_reason: 'end_turn',
    content: [{ type: 'thinking' }, { type: 'text', text: 'Thought through.' }],
  })
})

test('a tool conversation continues from the tool results in the request', async () => {
  const events = await stream([user('scn:bash')])
  const { id } = events.find(event => event.content_block?.type === 'tool_use')!.content_block!
  const input = events.map(event => event.delta?.partial_json ?? '').join('')
  expect(JSON.parse(input)).toMatchObject({ command: 'echo from-bash' })
  const result = { type: 'tool_result', tool_use_id: id, content: 'from-bash', is_error: false }
  const answer = await stream([
    user('scn:bash'),
    { role: 'assistant', content: [{ type: 'tool_use', id, name: 'Bash', input: {} }] },
    { role: 'user', content: [result] },
  ])
  expect(textOf(answer)).toBe('The tool has run.')
  expect(api.requests.at(-1)!.toolResults).toEqual([{ toolUseId: id, content: 'from-bash', isError: false }])
})

test('the last marker counts when one message has the texts of several turns', async () => {
  const content = ['scn:silent', '[Request interrupted by user]', 'scn:text:new'].map(text => ({ type: 'text', text }))
  expect(textOf(await stream([{ role: 'user', content }]))).toContain('new')
})

test('retry-529 fails only the first attempt, for each session separately', async () => {
  const statuses: number[] = []
  for (const session of ['a', 'a', 'b', 'b']) statuses.push((await post([user('scn:retry-529')], { session })).status)
  expect(statuses).toEqual([529, 200, 529, 200])
})

test('a hanging request is marked as abandoned when its caller leaves', async () => {
  const leave = new AbortController()
  const answer = post([user('scn:silent')], { signal: leave.signal })
  await until(() => expect(api.requests.at(-1)!.scenario).toBe('silent'))
  expect(api.requests.at(-1)!.abandoned).toBe(false)
  leave.abort()
  await expect(answer).rejects.toThrow('aborted')
  await until(() => expect(api.requests.at(-1)!.abandoned).toBe(true))
})

test('an unknown scenario is an error that names it', async () => {
  const response = await post([user('scn:no-such')])
  expect(response.status).toBe(400)
  expect(await response.text()).toContain('no-such')
})

test('a scenario of a test works like the built-in ones', async () => {
  api.script('mine', () => 'hang up')
  await expect(post([user('scn:mine')])).rejects.toThrow('fetch failed')
})

test('tokens are counted and HEAD / is answered', async () => {
  const counted = await fetch(`${api.url}/v1/messages/count_tokens`, { method: 'POST', body: '{"messages":[]}' })
  expect(await counted.json()).toEqual({ input_tokens: 4 })
  expect((await fetch(api.url, { method: 'HEAD' })).status).toBe(200)
})
