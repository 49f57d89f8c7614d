import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { readConversation, type ApiRequest, type MessagesBody } from './conversation.ts'
import { scenarios } from './scenarios/index.ts'
import type { Scenario } from './scenarios/scenario.ts'
import { send } from './send.ts'

export type { ApiRequest } from './conversation.ts'
export { assistantTexts, userTexts } from './conversation.ts'
export * from './reply.ts'

export interface MessagesApi {
  /** The value for `ANTHROPIC_BASE_URL`. */
  url: string
  /** Every request to `/v1/messages`, oldest first. */
  requests: ApiRequest[]
  /** Adds or replaces a scenario of this stand-in. */
  script(name: string, scenario: Scenario): void
  close(): Promise<void>
}

/**
 * Starts a stand-in for the Messages API on loopback. The marker `scn:NAME` in the newest user text that has one
 * selects the answer (`scenarios/`), so that a prompt itself says what will happen.
 */
export async function startMessagesApi(port = 0): Promise<MessagesApi> {
  const table = new Map<string, Scenario>(Object.entries(scenarios))
  const requests: ApiRequest[] = []
  const attempts = new Map<string, number>()

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url?.split('?')[0]
    const raw = await text(request)
    if (path === '/v1/messages/count_tokens') return json(response, 200, { input_tokens: Math.ceil(raw.length / 4) })
    if (path !== '/v1/messages') return void response.writeHead(request.method === 'HEAD' ? 200 : 404).end()
    const body = JSON.parse(raw) as MessagesBody
    const conversation = readConversation(body)
    const session = request.headers['x-claude-code-session-id'] as string | undefined
    const same = JSON.stringify([session, conversation.scenario, conversation.argument, body.messages.length])
    const attempt = attempts.get(same) ?? 0
    attempts.set(same, attempt + 1)
    const entry: ApiRequest = {
      at: Date.now(),
      headers: request.headers,
      body,
      session,
      ...conversation,
      attempt,
      abandoned: false,
    }
    requests.push(entry)
    response.once('close', () => (entry.abandoned = !response.writableFinished))
    const scenario = table.get(entry.scenario)
    if (!scenario)
      return json(response, 400, {
        type: 'error',
        error: { type: 'invalid_request_error', message: `no scenario ${entry.scenario}` },
      })
    await send(response, scenario(entry), body.model, body.stream ?? false)
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    script: (name, scenario) => void table.set(name, scenario),
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
