import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ClaudeOptions } from '../../protocol/index.ts'
import { startSuite, type Suite } from './support/suite.ts'
import { one, play } from './support/watch.ts'

// Options that may be long or secret reach Claude Code in files, with the same effect as on the command line.

const server = fileURLToPath(new URL('support/mcp-server.mjs', import.meta.url))
const servers = JSON.stringify({ mcpServers: { probe: { command: process.execPath, args: [server] } } })
const settings = (value: string) => JSON.stringify({ env: { MUXD_PROBE: value } })

let suite: Suite
beforeAll(async () => {
  suite = await startSuite([], { allowArgs: true })
})
afterAll(() => suite.close())

/**
 * Returns what Claude Code made of the options (system prompt, MCP servers, a variable in a tool's environment), and
 * the command lines of its processes.
 */
async function seen(options: ClaudeOptions) {
  const { session } = await suite.mux.api.session.create({
    cwd: suite.cwd,
    options: { allowedTools: ['Bash'], ...options },
  })
  const events = await play(suite.mux, { prompt: 'scn:environment', session })
  const { body } = suite.api.requests.findLast(request => request.scenario === 'environment')!
  const commandLines = suite.claudes().map(({ commandLine }) => commandLine)
  await suite.mux.api.session.close({ session })
  return {
    system: JSON.stringify(body.system),
    servers: one(events, 'session_init').mcpServers.map(each => (each as { name: string }).name),
    probe: /^MUXD_PROBE=(.*)$/m.exec(String(one(events, 'tool_result').output))?.[1],
    commandLines,
  }
}

test('settings, MCP servers and a system prompt given as text take effect and are on no command line', async () => {
  const found = await seen({
    settings: settings('text of settings'),
    mcpConfig: [servers],
    appendSystemPrompt: '--Answer in\nrhymes.',
  })
  expect(found.probe).toBe('text of settings')
  expect(found.servers).toEqual(['probe'])
  expect(found.system).toContain(String.raw`--Answer in\nrhymes.`)
  expect(found.commandLines).toHaveLength(1)
  expect(found.commandLines[0]).not.toMatch(/text of settings|mcp-server|rhymes/)
})

test('paths of settings and servers are relative to the directory of the session', async () => {
  writeFileSync(join(suite.cwd, 'my-settings.json'), settings('file of settings'))
  writeFileSync(join(suite.cwd, 'servers.json'), servers)
  const found = await seen({ settings: 'my-settings.json', mcpConfig: ['servers.json'] })
  expect(found.probe).toBe('file of settings')
  expect(found.servers).toEqual(['probe'])
})

test('an option in args overrides that of the session, and the MCP servers of both are used', async () => {
  const other = servers.replace('"probe"', '"other"')
  const found = await seen({
    settings: settings('of the session'),
    appendSystemPrompt: 'Prompt of the session.',
    mcpConfig: [servers],
    args: [`--settings=${settings('of args')}`, '--append-system-prompt=Prompt of args.', `--mcp-config=${other}`],
  })
  expect(found.probe).toBe('of args')
  expect(found.system).toContain('Prompt of args.')
  expect(found.system).not.toContain('Prompt of the session.')
  expect(found.servers.toSorted()).toEqual(['other', 'probe'])
})
