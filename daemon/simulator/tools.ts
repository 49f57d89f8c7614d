import { closeMessage, newId, openMessage, slices, writeBlock } from './message.ts'
import { permit, type Granted, type Refused } from './permission.ts'
import { pause, show, type ToolCall, type Turn } from './turn.ts'

export interface ToolOutcome {
  name: string
  allowed: boolean
  input: Record<string, unknown>
  /** The reason that was given for a refusal. */
  message: string | undefined
}

/**
 * Writes the tool use blocks and ends the message, asks for the permissions one after the other, and prints the results
 * as they come.
 */
export async function useTools(turn: Turn, calls: readonly ToolCall[]): Promise<ToolOutcome[]> {
  await openMessage(turn)
  const asked: { id: string; call: ToolCall; input: Record<string, unknown> }[] = []
  for (const call of calls) {
    const block = { type: 'tool_use' as const, id: newId('toolu'), name: call.name, input: {} as unknown }
    const json = typeof call.input === 'string' ? call.input : JSON.stringify(call.input)
    await writeBlock(turn, block, slices(json), 4)
    asked.push({ id: block.id, call, input: block.input as Record<string, unknown> })
  }
  closeMessage(turn, 'tool_use')
  for (const { id, call } of asked) turn.tools.set(id, { call, phase: 'running' })
  const outcomes: ToolOutcome[] = []
  const running: Promise<void>[] = []
  for (const { id, call, input } of asked) {
    const permission = await permit(turn, id, call, input)
    outcomes.push({
      name: call.name,
      allowed: permission.allowed,
      input: permission.input,
      message: permission.message,
    })
    if (!permission.allowed) refuse(turn, id, permission)
    else {
      const run = runTool(turn, id, call, permission)
      // The tool may be stopped while the permission for the next one is still being asked for.
      run.catch(() => {})
      running.push(run)
    }
  }
  // All tools have stopped before the turn reports it.
  const ended = await Promise.allSettled(running)
  for (const each of ended) if (each.status === 'rejected') throw each.reason
  return outcomes
}

async function runTool(turn: Turn, id: string, call: ToolCall, { input, decision }: Granted): Promise<void> {
  const { content, details } = call.run
    ? await call.run(turn, id)
    : (await pause(turn, call.takesMs ?? 300), plainResult(call, input))
  turn.tools.delete(id)
  const result = { tool_use_id: id, type: 'tool_result', content, is_error: call.isError ?? false }
  showUser(turn, [result], {
    tool_use_result: details,
    tool_result_meta: [{ id, permission_decision: { decision: 'accept', ...decision } }],
  })
}

function plainResult(call: ToolCall, input: Record<string, unknown>): { content: string; details: unknown } {
  const unparsed = '__unparsedToolInput' in input
  const output = unparsed
    ? `<tool_use_error>InputValidationError: ${call.name} was called with input that could not be parsed as JSON.</tool_use_error>`
    : typeof call.output === 'function'
      ? call.output(input)
      : (call.output ?? '')
  const shell = { stdout: output, stderr: '', interrupted: false, isImage: false, noOutputExpected: false }
  const details = call.details?.(input, output) ?? (call.isError ? `Error: ${output}` : shell)
  return { content: output, details }
}

/** Prints a frame of type `user` in the main lane. */
export function showUser(turn: Turn, content: unknown, more: object = {}): void {
  turn.userFrames += 1
  const timestamp = new Date().toISOString()
  show(turn, { type: 'user', message: { role: 'user', content }, parent_tool_use_id: null, timestamp, ...more })
}

function refuse(turn: Turn, id: string, { message, kind, decision }: Refused): void {
  turn.tools.delete(id)
  showUser(turn, [{ type: 'tool_result', content: message, is_error: true, tool_use_id: id }], {
    tool_use_result: `Error: ${message}`,
    tool_result_meta: [{ id, non_execution_kind: kind, permission_decision: { decision: 'reject', ...decision } }],
  })
}
