import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Limits } from '../../protocol/limits.ts'
import { type Authenticate, isRefusal } from './authenticate.ts'
import type { Refusal } from './checks.ts'
import type { Exchange } from './exchange.ts'
import type { OriginCheck, Transport } from './origin-check.ts'
import { serveFile } from './serve-file.ts'
import type { StaticFiles } from './static-files.ts'

/**
 * Creates the HTTP server of a transport. `/healthz` and the page's files need no credentials; every other request is
 * checked. Upgrades go to `upgrade`.
 */
export function createHttpServer(options: {
  transport: Transport
  authenticate: Authenticate
  checkHeaders: OriginCheck
  exchange: Exchange
  files: StaticFiles
  version: string
  limits: Pick<Limits, 'maxConnections' | 'requestTimeoutMs'>
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}): Server {
  const { transport, authenticate, checkHeaders, exchange, files, version, limits, upgrade } = options
  const server = createServer(
    {
      headersTimeout: limits.requestTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: Math.min(1_000, limits.requestTimeoutMs),
      maxHeaderSize: 16 * 1024,
    },
    (request, response) => {
      const path = pathOf(request)
      const reads = request.method === 'GET' || request.method === 'HEAD'
      if (reads && path === '/healthz') return answer(response, 200, { ok: true, name: 'muxd', version })
      const file = reads ? files.find(path) : undefined
      if (file) {
        const { origin } = request.headers
        const mayRead = origin !== undefined && checkHeaders(request.headers, transport) === undefined
        const unreadable = (error: unknown) =>
          isMissing(error) ? answer(response, 503, problem(notBuilt(path))) : fault(response)()
        return void serveFile(request, response, file, mayRead ? origin : undefined).catch(unreadable)
      }
      if (path === '/auth/exchange') {
        const exchanged = (entry: Awaited<ReturnType<Exchange>>) =>
          'status' in entry ? answer(response, entry.status, problem(entry)) : answer(response, 200, entry)
        return void exchange(request, transport).then(exchanged).catch(fault(response))
      }
      const admitted = authenticate(request, transport)
      if (isRefusal(admitted)) return answer(response, admitted.status, problem(admitted))
      const refusal: Refusal =
        path === '/ws'
          ? { status: 426, message: '/ws is a WebSocket' }
          : { status: 404, message: `there is nothing at ${path.slice(0, 100)}` }
      answer(response, refusal.status, problem(refusal))
    },
  )
  // Also limits sockets that are not upgraded yet. A WebSocket beyond `maxConnections` gets a 503 answer instead.
  server.maxConnections = limits.maxConnections * 2 + 16
  server.on('upgrade', upgrade)
  return server
}

export const pathOf = (request: IncomingMessage) => (request.url ?? '/').split('?', 1)[0]!

/** Answers an upgrade request with a refusal and closes the socket. */
export function refuseUpgrade(socket: Duplex, refusal: Refusal): void {
  const body = JSON.stringify(problem(refusal))
  const head = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
    ...Object.entries(headersFor(refusal.status, body)).map(([name, value]) => `${name}: ${value}`),
  ]
  socket.on('error', () => socket.destroy())
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}

function answer(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body)
  response.writeHead(status, headersFor(status, text))
  response.end(text)
}

/** Handles a failed read of the content or of the request: answers 500, or closes the response if it has begun. */
const fault = (response: ServerResponse) => () =>
  response.headersSent ? response.destroy() : answer(response, 500, { error: 'it could not be read' })

const isMissing = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT'

const notBuilt = (path: string): Refusal => ({
  status: 503,
  message: `${path} is not built: run npm run build in the directory of muxd, or install muxd again`,
})

const problem = ({ message }: Refusal) => ({ error: message })

const headersFor = (status: number, body: string): Record<string, string | number> => ({
  'content-type': 'application/json',
  'content-length': Buffer.byteLength(body),
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  ...(status === 401 && { 'www-authenticate': 'Bearer' }),
  ...(status === 426 && { upgrade: 'websocket' }),
  // A refused peer may continue to send a body, which the server does not read.
  ...(status !== 200 && { connection: 'close' }),
})
