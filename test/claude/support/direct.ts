import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { message, startMessagesApi, text, tool } from '../../support/messages-api/index.ts'
import { until } from '../../support/until.ts'
import { environmentFor } from './suite.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- frames as they come
type Frame = Record<string, any>

/** Claude Code without muxd. Tests measure with it, on each version, what muxd relies on. */
export interface Direct {
  cwd: string
  home: string
  frames: Frame[]
  send(line: object): void
  /** Sends a control request; resolves with its answer. */
  ask(request: object): Promise<Frame>
  /** Lets the model use a tool, and answers the question about it. Resolves with the outcome. */
  use(name: string, input: unknown, answer?: { decision: 'allow' | 'deny'; before?(): Promise<void> }): Promise<Outcome>
  close(): Promise<void>
}

export interface Outcome {
  asked: Frame | undefined
  isError: boolean
  result: string
}

let counter = 0

export async function startDirect(
  args: string[] = [],
  prepare: (at: { cwd: string; home: string }) => void = () => {},
): Promise<Direct> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'direct-')))
  const [home, cwd] = ['user', 'cwd'].map(name => join(directory, name)) as [string, string]
  for (const each of [home, cwd]) mkdirSync(each)
  prepare({ cwd, home })
  const api = await startMessagesApi()
  api.script('use', ({ toolResults, argument }) => {
    if (toolResults.length > 0) return message([text('Over.')])
    const [name, input] = JSON.parse(Buffer.from(argument, 'base64url').toString()) as [string, unknown]
    return message([tool(name, input)])
  })
  const child = spawn(
    process.env['MUXD_TEST_CLAUDE_BIN']!,
    [
      '-p',
      '--input-format',
      'stream-json',
      '--output-format',
      'stream-json',
      '--verbose',
      '--permission-prompt-tool',
      'stdio',
      ...args,
    ],
    { cwd, env: environmentFor(home, api.url), stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const frames: Frame[] = []
  createInterface({ input: child.stdout }).on('line', line => {
    if (line.startsWith('{')) frames.push(JSON.parse(line) as Frame)
  })
  const send = (line: object) => void child.stdin.write(`${JSON.stringify(line)}\n`)
  const find = (from: number, matches: (frame: Frame) => boolean) =>
    until(
      () => {
        const found = frames.slice(from).find(matches)
        if (!found)
          throw new Error(
            `not among ${frames
              .slice(from)
              .map(f => JSON.stringify(f).slice(0, 200))
              .join('\n')}`,
          )
        return found
      },
      { timeout: 60_000, interval: 5 },
    )
  const direct: Direct = {
    cwd,
    home,
    frames,
    send,
    async ask(request) {
      const request_id = `r${++counter}`
      const from = frames.length
      send({ type: 'control_request', request_id, request })
      return (await find(from, f => f['type'] === 'control_response' && f['response'].request_id === request_id))[
        'response'
      ]
    },
    async use(name, input, answer = { decision: 'deny' }) {
      const from = frames.length
      const argument = Buffer.from(JSON.stringify([name, input])).toString('base64url')
      send({
        type: 'user',
        uuid: crypto.randomUUID(),
        message: { role: 'user', content: [{ type: 'text', text: `scn:use:${argument}` }] },
        parent_tool_use_id: null,
        session_id: '',
      })
      const isQuestion = (f: Frame) => f['type'] === 'control_request' && f['request'].subtype === 'can_use_tool'
      let found = await find(from, f => isQuestion(f) || f['type'] === 'result')
      const asked = isQuestion(found) ? found : undefined
      if (asked) {
        await answer.before?.()
        const response =
          answer.decision === 'allow'
            ? { behavior: 'allow', updatedInput: asked['request'].input }
            : { behavior: 'deny', message: 'answered no' }
        send({ type: 'control_response', response: { subtype: 'success', request_id: asked['request_id'], response } })
        found = await find(from, f => f['type'] === 'result')
      }
      const result = frames
        .slice(from)
        .filter(f => f['type'] === 'user')
        .flatMap(f => (Array.isArray(f['message'].content) ? f['message'].content : []))
        .find(b => b.type === 'tool_result')
      const content = typeof result?.content === 'string' ? result.content : JSON.stringify(result?.content ?? found)
      return { asked: asked?.['request'], isError: result?.is_error ?? false, result: content }
    },
    async close() {
      const exited = once(child, 'exit')
      child.stdin.end()
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
      await exited
      clearTimeout(timer)
      await api.close()
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
    },
  }
  await direct.ask({ subtype: 'initialize' })
  return direct
}
