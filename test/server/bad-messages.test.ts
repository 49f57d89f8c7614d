import { describe, expect, test } from 'vitest'
import { greet, helloParams, openClient, startTestServer } from './harness.ts'
import { paramName } from '../../daemon/rpc/param-name.ts'
import { until } from '../support/until.ts'

describe('before hello', () => {
  test('only ping and hello succeed, other methods fail with not_ready', async () => {
    const { url } = await startTestServer()
    const client = await openClient(url)
    expect(await client.call('ping')).toMatchObject({ result: { time: expect.any(Number) } })
    for (const method of ['session.list', 'topic.subscribe', 'no.such', '__proto__.x']) {
      expect(await client.call(method, { topic: 'sessions' })).toMatchObject({
        error: { code: -32002, data: { kind: 'not_ready', retryable: false } },
      })
    }
    expect(await client.call('hello', helloParams)).toMatchObject({ result: { protocol: 2 } })
  })

  test('the connection is closed with 4506 when hello does not arrive in time', async () => {
    const { url } = await startTestServer({ limits: { helloTimeoutMs: 50 } })
    const client = await openClient(url)
    await expect(client.closed).resolves.toMatchObject({ code: 4506 })
    expect(client.messages).toEqual([
      { jsonrpc: '2.0', method: 'bye', params: { code: 4506, reason: expect.any(String), reconnect: false } },
    ])
  })

  test.each([
    [[1], 'client'],
    [[3, 7], 'daemon'],
  ])('versions %j are rejected with the side to update and code 4503', async (protocol, update) => {
    const { url } = await startTestServer()
    const client = await openClient(url)
    const { error } = await client.call('hello', { ...helloParams, protocol })
    expect(error).toMatchObject({ code: -32005, data: { kind: 'unsupported_version', supported: [2], update } })
    await expect(client.closed).resolves.toMatchObject({ code: 4503 })
  })

  test('one common version is enough', async () => {
    const { url } = await startTestServer()
    const client = await openClient(url)
    expect(await client.call('hello', { ...helloParams, protocol: [3, 1, 2] })).toMatchObject({
      result: { protocol: 2 },
    })
  })

  test('hello assigns a clientId, which the client keeps over a reconnect, and a second hello is rejected', async () => {
    const { url } = await startTestServer()
    const [client, other] = [await openClient(url), await openClient(url)]
    const { clientId } = (await client.call('hello', helloParams)).result!
    expect(clientId).toMatch(/^c_/)
    expect((await other.call('hello', helloParams)).result!['clientId']).not.toBe(clientId)
    expect(await client.call('hello', helloParams)).toMatchObject({ error: { code: -32600 } })
    client.ws.terminate()
    await client.closed
    const again = await openClient(url)
    expect(await again.call('hello', { ...helloParams, clientId })).toMatchObject({ result: { clientId } })
  })
})

describe('a bad message is answered and the connection stays open', () => {
  test.each([
    ['{"jsonrpc":', null, -32700, 'parse_error'],
    ['', null, -32700, 'parse_error'],
    ['[{"jsonrpc":"2.0","id":1,"method":"ping"}]', null, -32600, 'invalid_request'],
    ['[]', null, -32600, 'invalid_request'],
    ['null', null, -32600, 'invalid_request'],
    ['"ping"', null, -32600, 'invalid_request'],
    ['{"id":7,"method":"ping"}', 7, -32600, 'invalid_request'],
    ['{"jsonrpc":"2.0","id":7}', 7, -32600, 'invalid_request'],
    ['{"jsonrpc":"2.0","id":null,"method":"ping"}', null, -32600, 'invalid_request'],
    ['{"jsonrpc":"2.0","id":1.5,"method":"ping"}', null, -32600, 'invalid_request'],
    ['{"jsonrpc":"2.0","id":"a","result":{}}', 'a', -32600, 'invalid_request'],
    ['{"jsonrpc":"2.0","id":1,"method":"run.nothing"}', 1, -32601, 'unknown_method'],
    ['{"jsonrpc":"2.0","id":1,"method":"terminal.open"}', 1, -32601, 'unknown_method'],
    ['{"jsonrpc":"2.0","id":1,"method":"__proto__.constructor"}', 1, -32601, 'unknown_method'],
    ['{"jsonrpc":"2.0","id":1,"method":"constructor"}', 1, -32601, 'unknown_method'],
    ['{"jsonrpc":"2.0","id":1,"method":"session.__proto__"}', 1, -32601, 'unknown_method'],
    ['{"jsonrpc":"2.0","id":1,"method":"session.get","params":[]}', 1, -32602, 'invalid_params'],
    ['{"jsonrpc":"2.0","id":1,"method":"session.get","params":null}', 1, -32602, 'invalid_params'],
  ])('%s', async (text, id, code, kind) => {
    const { url } = await startTestServer()
    const client = await greet(url)
    client.sendText(text)
    const answer = await client.message(message => message.error !== undefined)
    expect(answer).toMatchObject({ id, error: { code, message: expect.any(String), data: { kind } } })
    expect(await client.call('ping')).toHaveProperty('result.time')
  })

  test.each([
    ['session.get', {}, '/session', 'session id, `s_…`', 'missing'],
    ['session.get', { session: 'x' }, '/session', 'session id, `s_…`', '"x"'],
    ['session.create', { cwd: 5 }, '/cwd', 'string, at least this long: 1', '5'],
    ['session.create', { cwd: '/', options: { env: { A: 1 } } }, '/options/env/A', 'string', '1'],
    ['session.create', { cwd: '/', options: { env: { '1A': 'x' } } }, '/options/env/1A', /only names matching/, '1A'],
    [
      'session.create',
      { cwd: '/', labels: { ['l'.repeat(257)]: 'x' } },
      /^\/labels\/l+$/,
      /only names matching/,
      'lll',
    ],
    ['session.create', { cwd: '/', options: { allowedTools: ['a', ''] } }, '/options/allowedTools/1', /string/, '""'],
    ['session.create', { cwd: '/', agent: 5 }, '/agent', /string/, '5'],
    ['session.create', { cwd: '/', claude: {} }, '/claude', /options/, 'protocol 2'],
    ['session.create', { cwd: '/', claudeSessionId: 'x' }, '/claudeSessionId', /conversationId/, 'protocol 2'],
    ['run.start', { create: { cwd: '/', claude: {} }, prompt: 'x' }, '/create/claude', /options/, 'protocol 2'],
    ['session.update', { session: 's_1', claudeSessionId: null }, '/claudeSessionId', /conversationId/, 'protocol 2'],
    ['topic.subscribe', { topic: 'sessions', since: { epoch: 1, seq: 1 } }, '/since/epoch', 'string', '1'],
    ['topic.subscribe', { topic: 'sessions', since: 'middle' }, '/since', /"start" or "end"/, '"middle"'],
    ['topic.subscribe', { topic: 'else' }, '/topic', /topic/, '"else"'],
    ['run.cancel', { run: 'r_1', mode: 'soft' }, '/mode', '"interrupt" or "terminate" or "kill"', '"soft"'],
    ['run.wait', { run: 'r_1', timeoutMs: -1 }, '/timeoutMs', /at least 0/, '-1'],
    [
      'run.start',
      { prompt: 'x'.repeat(10), session: 's_'.padEnd(200, 'a/~') },
      '/session',
      /session id/,
      '(200 characters)',
    ],
  ])('%s %j is rejected with the path and the expected value', async (method, params, path, expected, shown) => {
    const { url } = await startTestServer()
    const client = await greet(url)
    const { error } = await client.call(method, params)
    expect(error).toMatchObject({ code: -32602, data: { kind: 'invalid_params' } })
    expect(error!.data['path']).toEqual(typeof path === 'string' ? path : expect.stringMatching(path))
    expect(error!.data['expected']).toMatch(expected)
    expect(error!.message).toContain(shown)
    // Programs read the path; people read the name of the parameter.
    expect(error!.message).toContain(paramName(String(error!.data['path'])))
  })

  test('unknown fields and notifications are ignored', async () => {
    const server = await startTestServer()
    server.ring('sessions')
    const client = await greet(server.url)
    expect(await client.call('topic.subscribe', { topic: 'sessions', future: [1] })).toHaveProperty('result.head', 0)
    client.send({ jsonrpc: '2.0', method: 'future.notification', params: 5 })
    client.send({ jsonrpc: '2.0', method: 'topic.ack', params: { topic: 5 } })
    client.send({ jsonrpc: '2.0', method: 'topic.ack', params: { topic: 'daemon', seq: 5 } })
    expect(await client.call('ping')).toHaveProperty('result')
    expect(client.messages.filter(message => message.error)).toEqual([])
  })

  test('a topic that does not exist is not_found', async () => {
    const { url } = await startTestServer()
    const client = await greet(url)
    const notFound = { error: { code: -32004, data: { kind: 'not_found', topic: 'session/s_none' } } }
    expect(await client.call('topic.subscribe', { topic: 'session/s_none' })).toMatchObject(notFound)
    expect(await client.call('topic.read', { topic: 'session/s_none', after: 0 })).toMatchObject(notFound)
    expect(await client.call('event.get', { topic: 'session/s_none', seq: 1 })).toMatchObject(notFound)
  })
})

test('a 5 MB message closes the connection with 1009, a 3 MB message is read', async () => {
  const { url } = await startTestServer()
  const client = await greet(url)
  const { error } = await client.call('session.get', { session: 'x'.repeat(3 * 1024 * 1024) })
  expect(error!.message).toContain('(3145728 characters)')
  expect(error!.message.length).toBeLessThan(300)
  client.sendText(`"${'x'.repeat(5 * 1024 * 1024)}"`)
  await expect(client.closed).resolves.toMatchObject({ code: 1009 })
})

describe('a nested message', () => {
  const call = (levels: number) =>
    `{"jsonrpc":"2.0","id":1,"method":"topic.unsubscribe","params":{"topic":"daemon","x":${'['.repeat(levels)}${']'.repeat(levels)}}}`

  // The message and its params are two of the levels.
  test('is read with 128 levels and rejected with 129, and the connection stays open', async () => {
    const { url } = await startTestServer()
    const client = await greet(url)
    client.messages.length = 0
    client.sendText(call(126))
    expect(await client.message(({ id }) => id === 1)).toMatchObject({ result: {} })
    client.messages.length = 0
    client.sendText(call(127))
    expect(await client.message(({ id }) => id === 1)).toMatchObject({ error: { data: { kind: 'invalid_request' } } })
    expect(await client.call('ping')).toHaveProperty('result')
  })

  test.each([
    ['in its params', call(2_000_000), 'invalid_request'],
    ['in arrays', '['.repeat(2_000_000) + ']'.repeat(2_000_000), 'invalid_request'],
    ['and never closed', '{"a":'.repeat(800_000), 'parse_error'],
  ])('is rejected with millions of levels, %s', async (_, text, kind) => {
    const { url } = await startTestServer()
    const client = await greet(url)
    client.sendText(text)
    expect(await client.message(({ error }) => error !== undefined)).toMatchObject({ error: { data: { kind } } })
    expect(await client.call('ping')).toHaveProperty('result')
  })
})

test('a binary message closes the connection with 4500', async () => {
  const { url } = await startTestServer()
  const client = await greet(url)
  client.ws.send(Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping"}'))
  await expect(client.closed).resolves.toMatchObject({ code: 4500 })
})

test('a flood of invalid calls gets short errors, then close code 4500, and other clients are unaffected', async () => {
  const { url } = await startTestServer()
  const other = await greet(url)
  const client = await greet(url)
  const params = { session: 's_1', prompt: 'x', key: 5 }
  for (let id = 1_000; id < 3_000; id++) client.send({ jsonrpc: '2.0', id, method: 'run.start', params })
  await expect(client.closed).resolves.toMatchObject({ code: 4500 })
  const errors = client.messages.flatMap(message => message.error ?? [])
  expect(errors[0]!.data).toMatchObject({ path: '/key' })
  expect(errors.at(-1)!.data).toEqual({ kind: 'invalid_params', retryable: false })
  expect(errors.length).toBeLessThan(1_200)
  expect(await other.call('ping')).toHaveProperty('result')
})

test('an exception in a handler is logged under an id, and the answer has only the id', async () => {
  const server = await startTestServer({
    handlers: {
      session: {
        get: () => {
          throw new Error('secret detail')
        },
        list: () => Promise.reject(new Error('secret detail')),
        create: () => ({ broken: 1n }) as never,
      },
    },
  })
  const client = await greet(server.url)
  for (const [method, params] of [
    ['session.get', { session: 's_1' }],
    ['session.list', {}],
    ['session.create', { cwd: '/' }],
  ] as const) {
    const { error } = await client.call(method, params)
    expect(error).toMatchObject({ code: -32603, data: { kind: 'internal', id: expect.any(String) } })
    expect(JSON.stringify(error)).not.toContain('secret')
    const entry = server.logged.find(({ details }) => (details as { id?: string }).id === error!.data['id'])
    expect(entry?.details).toMatchObject({ method, error: { stack: expect.any(String) } })
  }
})

test('calls beyond maxCallsInFlight fail as overloaded, and a disconnect aborts those in flight', async () => {
  const aborted: string[] = []
  const { url } = await startTestServer({
    limits: { maxCallsInFlight: 3 },
    handlers: {
      run: {
        wait: ({ run }, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              aborted.push(run)
              reject(new Error('gone'))
            })
          }),
      },
    },
  })
  const client = await greet(url)
  for (let id = 100; id < 104; id++) client.send({ jsonrpc: '2.0', id, method: 'run.wait', params: { run: `r_${id}` } })
  const { id, error } = await client.message(message => message.error !== undefined)
  expect({ id, error }).toMatchObject({
    id: 103,
    error: { code: -32001, data: { retryable: true, limit: 'maxCallsInFlight', value: 3 } },
  })
  client.ws.terminate()
  await until(() => expect(aborted).toEqual(['r_100', 'r_101', 'r_102']))
})
