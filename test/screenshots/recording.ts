import { randomUUID } from 'node:crypto'

/** What Claude says and does, in order. */
export type Step =
  | { thinking: string }
  | { says: string }
  | { tool: string; input: object; output: string; details?: object; failed?: boolean }
  | { agent: string; steps: Step[]; report: string }

const model = 'claude-opus-5-5'

/** Returns the frames that Claude Code would print for the steps, as lines for the simulator to replay. */
export function recordingOf(
  steps: Step[],
  { costUsd, input, output }: { costUsd: number; input: number; output: number },
) {
  const session_id = randomUUID()
  const lines: object[] = []
  const add = (frame: object, parent: string | null = null) =>
    lines.push({ ...frame, parent_tool_use_id: parent, session_id, uuid: randomUUID() })
  const usage = {
    input_tokens: input,
    output_tokens: output,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
  }
  const says = (block: object, parent: string | null) =>
    add(
      { type: 'assistant', message: { id: `msg_${randomUUID()}`, role: 'assistant', model, content: [block], usage } },
      parent,
    )
  const returns = (
    id: string,
    content: string,
    parent: string | null,
    { details, failed = false }: { details?: object; failed?: boolean },
  ) => {
    const result = { tool_use_id: id, type: 'tool_result', content, is_error: failed }
    add(
      { type: 'user', message: { role: 'user', content: [result] }, ...(details && { tool_use_result: details }) },
      parent,
    )
  }
  const play = (played: Step[], parent: string | null) => {
    const agents = played.flatMap(step => ('agent' in step ? [{ ...step, id: `toolu_${randomUUID()}` }] : []))
    for (const step of played) {
      if ('thinking' in step) says({ type: 'thinking', thinking: step.thinking, signature: '' }, parent)
      else if ('says' in step) says({ type: 'text', text: step.says }, parent)
      else if ('tool' in step) {
        const id = `toolu_${randomUUID()}`
        says({ type: 'tool_use', id, name: step.tool, input: step.input }, parent)
        returns(id, step.output, parent, step)
      } else {
        const { id } = agents.find(({ agent }) => agent === step.agent)!
        const asked = { description: step.agent, prompt: step.agent, subagent_type: 'general-purpose' }
        says({ type: 'tool_use', id, name: 'Agent', input: asked }, parent)
        play(step.steps, id)
        returns(id, step.report, parent, {})
      }
    }
  }
  add({
    type: 'system',
    subtype: 'init',
    cwd: '/',
    model,
    tools: [],
    mcp_servers: [],
    permissionMode: 'default',
    slash_commands: [],
  })
  play(steps, null)
  const spent = { inputTokens: input, outputTokens: output, cacheReadInputTokens: 0, cacheCreationInputTokens: 0 }
  const modelUsage = { [model]: { ...spent, costUSD: costUsd, contextWindow: 200_000 } }
  add({
    type: 'result',
    subtype: 'success',
    is_error: false,
    result: '',
    num_turns: 1,
    duration_ms: 21_400,
    total_cost_usd: costUsd,
    usage,
    modelUsage,
    model_usage_since_last_result: modelUsage,
  })
  return lines.map(line => `${JSON.stringify(line)}\n`).join('')
}
