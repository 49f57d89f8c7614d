import { mkdtempSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { type ErrorData, type Limits, limits as protocolLimits } from '../../protocol/index.ts'
import type { Handlers } from '../../daemon/rpc/handlers.ts'
import { RpcError } from '../../daemon/rpc/rpc-error.ts'
import { type ServerOptions, startServer } from '../../daemon/server/start-server.ts'
import { topicHandlers } from '../../daemon/topics/handlers.ts'
import { createHub } from '../../daemon/topics/delivery/hub.ts'
import { createRingLog, type RingLog } from '../../daemon/topics/logs/ring-log.ts'
import type { TopicLog } from '../../daemon/topics/logs/topic-log.ts'
import { fixedTokens } from '../support/fixed-tokens.ts'
import { until } from '../support/until.ts'

export const tokens = { control: 'control-token-1', observe: 'observe-token-1' }
export const instance = 'instance-1'

/**
 * Starts a server over ring logs, on a free port and a Unix socket. The end of the test removes it with everything it
 * held.
 */
export async function startTestServer(
  options: Partial<Omit<ServerOptions, 'limits' | 'handlers'>> & {
    limits?: Partial<Limits>
    handlers?: Partial<{ [N in keyof Handlers]: Partial<Handlers[N]> }>
    logs?: Record<string, TopicLog>
  } = {},
) {
  const directory = mkdtempSync(join(tmpdir(), 'muxd-server-'))
  const limits: Limits = { ...protocolLimits, ...options.limits }
  const logs = new Map<string, TopicLog>(Object.entries(options.logs ?? {}))
  const lookup = (topic: string) => logs.get(topic)
  const hub = createHub({ lookup, limits })
  const logged: { message: string; details: object | undefined }[] = []
  const note = (message: string, details?: object) => void logged.push({ message, details })
  const socketPath = join(directory, 'muxd.sock')
  const server = await startServer({
    host: '127.0.0.1',
    port: 0,
    socketPath,
    tokens: fixedTokens(tokens),
    hub,
    version: '0.0.1',
    instance,
    node: 'test-node',
    agents: () => [],
    log: { debug: () => undefined, info: () => undefined, warn: note, error: note },
    checkResults: true,
    ...options,
    limits,
    handlers: testHandlers(topicHandlers(lookup), options.handlers ?? {}),
  })
  let isClosed = false
  const close: typeof server.close = bye => {
    isClosed = true
    return server.close(bye)
  }
  onTestFinished(async () => {
    if (!isClosed) await server.close({ code: 4000, reason: 'the test is over' })
    if (server.connections() !== 0) throw new Error('connections are left behind')
    if (hub.subscriptions() !== 0) throw new Error('subscriptions are left behind')
    rmSync(directory, { recursive: true })
  })
  const ring = (topic: string, bounds: Partial<{ maxRecords: number; maxBytes: number }> = {}): TestLog => {
    const log = createRingLog({
      epoch: instance,
      maxRecords: Infinity,
      maxBytes: Infinity,
      maxEventBytes: limits.maxEventBytes,
      ...bounds,
    })
    logs.set(topic, log)
    return {
      ...log,
      publish(...records) {
        for (const record of records) log.append(record, 1)
        hub.published(topic)
      },
    }
  }
  return { ...server, close, socketPath, hub, logged, ring, logs }
}

export interface TestLog extends RingLog {
  publish(...records: object[]): void
}

function testHandlers(topics: Pick<Handlers, 'topic' | 'event'>, given: object): Handlers {
  const none = () => {
    throw new RpcError('not_found', 'not in this test')
  }
  const all = {
    daemon: { status: none, stop: none, gc: none },
    session: {
      create: none,
      get: none,
      update: none,
      fork: none,
      importable: none,
      list: none,
      viewers: none,
      close: none,
      delete: none,
    },
    run: { start: none, get: none, list: none, wait: none, move: none, cancel: none },
    approval: { list: none, get: none, answer: none },
    token: { create: none, list: none, revoke: none, link: none },
    workspace: { get: none, list: none, save: none, delete: none },
    usage: { get: none },
    ...topics,
  } satisfies Handlers
  const merged = Object.entries(all).map(([name, rows]) => [name, { ...rows, ...(given[name as never] as object) }])
  return Object.fromEntries(merged) as Handlers
}

export interface TestClient {
  readonly ws: WebSocket
  /** All received messages, parsed, in order. `texts` has them unparsed. */
  readonly messages: Message[]
  readonly texts: string[]
  send(message: unknown): void
  sendText(text: string): void
  /** Sends a call and resolves with its answer. */
  call(method: string, params?: object): Promise<Message>
  /** Resolves with the first message, received before or after the call, that fits. */
  message(fits: (message: Message) => boolean): Promise<Message>
  closed: Promise<{ code: number; reason: string }>
  /** Returns the events received on a topic, in order. */
  events(topic: string): { seq: number }[]
}

export interface Message {
  id?: string | number | null
  method?: string
  params?: Record<string, unknown> & { topic?: string; events?: { seq: number }[]; heads?: Record<string, number> }
  result?: Record<string, unknown>
  error?: { code: number; message: string; data: ErrorData }
}

/** Opens a connection that closes when the test ends. Rejects with the HTTP status if the upgrade is refused. */
export async function openClient(
  url: string,
  options: { token?: string | null; headers?: Record<string, string>; protocols?: string[]; autoPong?: boolean } = {},
): Promise<TestClient> {
  const { token = tokens.control, headers = {}, protocols = ['muxd.v1'], autoPong = true } = options
  const ws = new WebSocket(url, protocols, {
    headers: { ...(token !== null && { authorization: `Bearer ${token}` }), ...headers },
    autoPong,
    perMessageDeflate: false,
  })
  const messages: Message[] = []
  const texts: string[] = []
  ws.on('message', data => {
    const text = (data as Buffer).toString()
    texts.push(text)
    messages.push(JSON.parse(text) as Message)
  })
  const closed = new Promise<{ code: number; reason: string }>(resolve => {
    ws.on('close', (code, reason) => resolve({ code, reason: reason.toString() }))
  })
  onTestFinished(() => ws.terminate())
  await new Promise<void>((resolve, reject) => {
    ws.once('open', resolve)
    ws.once('unexpected-response', (_request, response) => {
      let body = ''
      response.on('data', chunk => (body += chunk))
      response.on('end', () => reject(Object.assign(new Error(body), { status: response.statusCode })))
    })
    ws.on('error', reject)
  })
  let nextId = 1
  const message: TestClient['message'] = fits =>
    until(() => messages.find(fits) ?? Promise.reject(new Error('no such message')), {
      timeout: 10_000,
      interval: 2,
    })
  const send = (value: unknown) => ws.send(JSON.stringify(value))
  return {
    ws,
    messages,
    texts,
    send,
    sendText: text => ws.send(text),
    message,
    closed,
    call(method, params) {
      const id = nextId++
      send({ jsonrpc: '2.0', id, method, ...(params && { params }) })
      return message(each => each.id === id)
    },
    events: topic =>
      messages
        .filter(each => each.method === 'events' && each.params?.topic === topic)
        .flatMap(each => each.params!.events!),
  }
}

/** Returns a client's socket, which ws keeps private. */
export const socketOf = ({ ws }: TestClient) => (ws as unknown as { readonly _socket: Socket })['_socket']

/** Opens a connection and sends `hello`. */
export async function greet(url: string, options: Parameters<typeof openClient>[1] = {}): Promise<TestClient> {
  const client = await openClient(url, options)
  await client.call('hello', helloParams)
  return client
}

export const helloParams = { protocol: [2], client: { name: 'test', version: '1' } }
