import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'

export interface Received {
  method: string | undefined
  path: string | undefined
  headers: IncomingHttpHeaders
  body: string
}

/**
 * Starts a webhook on loopback that responds as `answer` says; after `never` it does not respond. Closed after the
 * test.
 */
export async function startReceiver(
  answer: (request: Received, nth: number) => { status: number; headers?: Record<string, string> } | 'never',
): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const { method, url: path, headers } = request
    const whole = { method, path, headers, body: await text(request) }
    const said = answer(whole, received.push(whole) - 1)
    if (said !== 'never') response.writeHead(said.status, said.headers).end()
  })
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, received }
}
