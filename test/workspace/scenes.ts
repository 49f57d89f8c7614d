import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Mux, StartedRun } from '../../client/sdk/index.ts'
import type { DaemonInfo } from '../../protocol/index.ts'
import { connectForTest } from '../client/harness.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'

const standIn = fileURLToPath(new URL('../fixtures/stand-ins/scenes.mjs', import.meta.url))

/** The frames that Claude Code prints for a prompt. */
export type Scene = object[]

export interface Scenes {
  info: DaemonInfo
  mux: Mux
  /** Runs a prompt in a new session, or in the given one. */
  play(prompt: string, session?: string): Promise<StartedRun>
}

/** Starts a daemon whose Claude Code prints these frames for these prompts. */
export async function startScenes(scenes: Record<string, Scene>): Promise<Scenes> {
  const cwd = tempDir()
  writeFileSync(join(cwd, 'scenes.json'), JSON.stringify(scenes))
  const { home, info } = await startTestDaemon({ argv: [], env: { MUXD_CLAUDE_BIN: standIn } })
  const mux = await connectForTest({ home, client: { name: 'script', version: '1' } })
  return {
    info,
    mux,
    play: (prompt, session) => mux.run({ prompt, ...(session === undefined ? { cwd } : { session }) }),
  }
}

let count = 0

const message = (block: object, parent: string | null = null) => ({
  type: 'assistant',
  message: {
    id: `msg_${++count}`,
    role: 'assistant',
    model: 'stand-in',
    content: [block],
    stop_reason: null,
    usage: { input_tokens: 10, output_tokens: 20 },
  },
  parent_tool_use_id: parent,
})

export const says = (text: string, parent?: string): object => message({ type: 'text', text }, parent)
export const thinks = (thinking: string): object => message({ type: 'thinking', thinking, signature: '' })

/** A tool call and its result. */
export function uses(name: string, input: object, output: unknown, { failed = false } = {}): object[] {
  const id = `toolu_${++count}`
  const result = { tool_use_id: id, type: 'tool_result', content: output, is_error: failed }
  return [
    message({ type: 'tool_use', id, name, input }),
    { type: 'user', message: { role: 'user', content: [result] }, parent_tool_use_id: null },
  ]
}

/** A tool call that needs an answer. The scene continues after the answer. */
export function asks(name: string, input: object, request: object = {}): object[] {
  const id = `toolu_${++count}`
  const asked = { subtype: 'can_use_tool', tool_name: name, display_name: name, input, tool_use_id: id, ...request }
  return [
    message({ type: 'tool_use', id, name, input }),
    { type: 'control_request', request_id: `request_${id}`, request: asked },
  ]
}
