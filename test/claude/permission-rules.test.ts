import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { message, text, tool } from '../support/messages-api/index.ts'
import { startSuite, type Suite } from './support/suite.ts'
import { ofType, watch } from './support/watch.ts'

// Each row of docs/rules.md and its effect in Claude Code: as an allow rule, as a deny rule, as both, and removed.

const server = fileURLToPath(new URL('support/mcp-server.mjs', import.meta.url))
let suite: Suite
let session: string
let home: string

beforeAll(async () => {
  suite = await startSuite()
  home = suite.env['HOME']!
  for (const name of ['src/deep', 'other', 'w', 'a (b) [c]']) mkdirSync(join(suite.cwd, name), { recursive: true })
  for (const name of ['.env', 'src/a.ts', 'src/deep/.env']) writeFileSync(join(suite.cwd, name), 'text')
  mkdirSync(join(home, '.ssh'))
  writeFileSync(join(home, '.ssh/id'), 'key')
  symlinkSync(join(home, '.ssh/id'), join(suite.cwd, 'key'))
  suite.api.script('use', ({ toolResults, argument }) => {
    if (toolResults.length > 0) return message([text('It is over.')])
    const [name, input] = JSON.parse(Buffer.from(argument, 'base64url').toString()) as Use
    return message([tool(name, input)])
  })
  const mcpConfig = [JSON.stringify({ mcpServers: { probe: { command: process.execPath, args: [server] } } })]
  session = (await suite.mux.api.session.create({ cwd: suite.cwd, options: { mcpConfig } })).session
})
afterAll(() => suite.close())

type Use = [tool: string, input: object]
type Outcome = 'ran' | 'asked' | 'asked by rule' | 'denied' | `failed: ${string}`

/** Sets these rules as the session's only ones, lets the model use a tool, and denies every question. */
async function outcome(rules: string[], [name, input]: Use, at = session): Promise<Outcome> {
  await suite.mux.api.session.update({ session: at, approvals: { rules } })
  const argument = Buffer.from(JSON.stringify([name, input])).toString('base64url')
  const run = watch(await suite.mux.run({ prompt: `scn:use:${argument}`, session: at }))
  const first = await Promise.race([
    run.until('approval_requested').then(asked => asked),
    run.ended().then(() => undefined),
  ])
  if (first) await suite.mux.api.approval.answer({ approval: first.approval, decision: 'deny' })
  const events = await run.ended()
  if (first) return first.decisionReasonType === 'rule' || first.askRule !== undefined ? 'asked by rule' : 'asked'
  const [result] = ofType(events, 'tool_result')
  const said = String(result?.output)
  // A denied tool of an MCP server is hidden from the model. No page can be fetched here.
  if (result?.isError && /denied|blocked by permission rules|No such tool available/.test(said)) return 'denied'
  return !result?.isError || said.startsWith('Unable to verify if domain') ? 'ran' : `failed: ${said}`
}

const bash = (command: string): Use => ['Bash', { command, description: 'Try' }]
const write = (name: string): Use => ['Write', { file_path: join(suite.cwd, name), content: 'text' }]
const read = (path: string): Use => ['Read', { file_path: path.startsWith('/') ? path : join(suite.cwd, path) }]
const fetching = (url: string): Use => ['WebFetch', { url, prompt: 'x' }]
const agent: Use = [
  'Agent',
  { description: 'x', prompt: 'scn:text:hi', subagent_type: 'general-purpose', run_in_background: false },
]
const mcp: Use = ['mcp__probe__touch', {}]

let count = 0
const fresh = (directory: string) => `${directory}${directory && '/'}n${++count}.txt`

/**
 * Rule, use, and the outcome of the use without any rule. An allowed use runs; a denied use fails without a question.
 */
const rows: [rule: string, use: () => Use, otherwise: Outcome | RegExp][] = [
  ['Bash', () => bash('touch x'), 'asked'],
  ['Bash(*)', () => bash('touch x'), 'asked'],
  ['Edit', () => write(fresh('')), 'asked'],
  ['Edit(*)', () => write(fresh('')), 'asked'],
  ['Write', () => write(fresh('')), 'asked'],
  ['Read', () => read('/etc/hosts'), 'asked'],
  ['Bash(touch x)', () => bash('touch x'), 'asked'],
  ['Bash(touch:*)', () => bash('touch x'), 'asked'],
  ['Bash(touch *)', () => bash('touch x'), 'asked'],
  ['Bash(touch *)', () => bash('touch x && touch y'), 'asked'],
  ['Bash(* x)', () => bash('touch x'), 'asked'],
  ['Bash(touch*)', () => bash('touch x'), 'asked'],
  ['Edit(src/**)', () => write(fresh('src/deep')), 'asked'],
  ['Edit(*.txt)', () => write(fresh('src/deep')), 'asked'],
  ['Edit(./w/**)', () => write(fresh('w')), 'asked'],
  ['Edit(/w/**)', () => write(fresh('w')), 'asked'],
  ['Edit(w/)', () => write(fresh('w')), 'asked'],
  ['Edit(**)', () => write(fresh('w')), 'asked'],
  ['Write(w/**)', () => write(fresh('w')), 'asked'],
  ['Write(/w/**)', () => write(fresh('w')), 'asked'],
  ['MultiEdit(w/**)', () => write(fresh('w')), 'asked'],
  ['NotebookEdit(w/**)', () => write(fresh('w')), 'asked'],
  ['Edit(w/?*.t[x]t)', () => write(fresh('w')), 'asked'],
  ['Edit(/a \\(b\\) [[]c]/**)', () => write(fresh('a (b) [c]')), 'asked'],
  ['Edit(a (b) [[]c]/**)', () => write(fresh('a (b) [c]')), 'asked'],
  ['Read(//etc/hosts)', () => read('/etc/hosts'), 'asked'],
  ['Read(~/.ssh/**)', () => read(join(home, '.ssh/id')), 'asked'],
  ['Read(../user/.ssh/**)', () => read(join(home, '.ssh/id')), 'asked'],
  ['Glob(//etc/hosts)', () => read('/etc/hosts'), 'asked'],
  ['Read(.env)', () => read('src/deep/.env'), 'ran'],
  ['WebFetch', () => fetching('https://example.com/a'), 'asked'],
  ['WebFetch(domain:example.com)', () => fetching('https://example.com/a'), 'asked'],
  ['WebFetch(domain:EXAMPLE.com)', () => fetching('https://example.com/a'), 'asked'],
  ['WebFetch(domain:*)', () => fetching('https://example.com/a'), 'asked'],
  ['mcp__probe', () => mcp, 'asked'],
  ['mcp__probe__touch', () => mcp, 'asked'],
  ['mcp__probe__*', () => mcp, 'asked'],
  ['Agent', () => agent, 'ran'],
  ['Agent(general-purpose)', () => agent, 'ran'],
  ['Task(general-purpose)', () => agent, 'ran'],
  // Without a rule, 2.1.197 asks about a skill; other versions run it.
  ['Skill(simplify)', () => ['Skill', { skill: 'simplify' }], /^(?:ran|asked)$/],
]

describe('a rule of docs/rules.md', () => {
  test.each(rows)('has its documented effect: %s', { timeout: 120_000 }, async (rule, use, otherwise) => {
    const found = {
      allow: await outcome([`allow ${rule}`], use()),
      deny: await outcome([`deny ${rule}`], use()),
      both: await outcome([`allow ${rule}`, `deny ${rule}`], use()),
      removed: await outcome([], use()),
    }
    const removed = otherwise instanceof RegExp ? (expect.stringMatching(otherwise) as string) : otherwise
    expect(found).toEqual({ allow: 'ran', deny: 'denied', both: 'denied', removed })
  })
})
