import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { methods } from '../../protocol/index.ts'

/** Starts a language server and talks to it as an editor does: messages with a header, one answer a request. */
function startLanguageServer() {
  const child = spawn(process.execPath, [resolve('node_modules/@typescript/native/bin/tsc'), '--lsp', '--stdio'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const waiting = new Map<number, (result: unknown) => void>()
  let received = Buffer.alloc(0)
  let lastId = 0
  const send = (message: object) => {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message })
    child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  }
  child.stdout.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    for (;;) {
      const head = received.indexOf('\r\n\r\n')
      if (head < 0) return
      const length = Number(/Content-Length: (\d+)/i.exec(received.subarray(0, head).toString())![1])
      if (received.length < head + 4 + length) return
      const message = JSON.parse(received.subarray(head + 4, head + 4 + length).toString()) as {
        id?: number
        method?: string
        params?: { items?: unknown[] }
        result?: unknown
      }
      received = received.subarray(head + 4 + length)
      // Requests of the server to its editor (settings, watchers) get null.
      if (message.method !== undefined && message.id !== undefined) {
        send({ id: message.id, result: message.params?.items?.map(() => null) ?? null })
      } else if (message.id !== undefined) waiting.get(message.id)?.(message.result)
    }
  })
  return {
    request: (method: string, params: object) =>
      new Promise<unknown>(answer => {
        waiting.set(++lastId, answer)
        send({ id: lastId, method, params })
      }),
    notify: (method: string, params: object) => send({ method, params }),
    async close() {
      const exited = once(child, 'exit')
      child.stdin.end()
      child.kill()
      await exited
    },
  }
}

it('going to the definition of an SDK method leads to its row in protocol/methods.ts', async () => {
  const rows = resolve('protocol/methods.ts')
  const lines = readFileSync(rows, 'utf8').split('\n')
  const calls = Object.entries(methods).flatMap(([namespace, table]) =>
    Object.keys(table).map(method => ({ namespace, method, line: `mux.api.${namespace}.${method}(` })),
  )
  const text = [
    "import type { Mux } from '../../client/sdk/index.ts'",
    'declare const mux: Mux',
    ...calls.map(each => each.line),
  ]
  const uri = pathToFileURL(resolve('test/client/definition-probe.ts')).href
  const server = startLanguageServer()
  try {
    const root = pathToFileURL(resolve('.')).href
    await server.request('initialize', {
      processId: process.pid,
      rootUri: root,
      workspaceFolders: [{ uri: root, name: 'muxd' }],
      capabilities: {},
    })
    server.notify('initialized', {})
    server.notify('textDocument/didOpen', {
      textDocument: { uri, languageId: 'typescript', version: 1, text: text.join('\n') },
    })
    for (const [index, { method, line }] of calls.entries()) {
      const position = { line: index + 2, character: line.length - 2 }
      const result = (await server.request('textDocument/definition', { textDocument: { uri }, position })) as
        | Location
        | Location[]
        | null
      const targets = [result ?? []].flat().map(target => ({
        uri: target.uri,
        text: lines[target.range.start.line],
      }))
      expect({ line, targets }).toEqual({
        line,
        targets: [{ uri: pathToFileURL(rows).href, text: expect.stringMatching(`^  ${method}: method\\(`) as string }],
      })
    }
  } finally {
    await server.close()
  }
})

interface Location {
  uri: string
  range: { start: { line: number } }
}
