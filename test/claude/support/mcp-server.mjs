// An MCP server with one tool, over stdio.
import { createInterface } from 'node:readline'

const tool = { name: 'touch', description: 'Does nothing', inputSchema: { type: 'object', properties: {} } }
const results = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: 'probe', version: '1' },
  }),
  'tools/list': () => ({ tools: [tool] }),
  'tools/call': () => ({ content: [{ type: 'text', text: 'touched' }] }),
}

createInterface({ input: process.stdin }).on('line', line => {
  const { id, method, params } = JSON.parse(line)
  const result = results[method]?.(params)
  if (id === undefined) return
  const answer = result ? { result } : { error: { code: -32601, message: 'unknown method' } }
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...answer })}\n`)
})
