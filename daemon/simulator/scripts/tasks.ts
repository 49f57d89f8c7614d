import { setTimeout as sleep } from 'node:timers/promises'
import { numberOption, textOption } from '../prompt.ts'
import type { Scripts } from '../script.ts'
import { stamped, print, spend, type BackgroundTask, type Session } from '../session.ts'
import { newId } from '../message.ts'
import { text, tools } from '../steps.ts'
import { pause, show, type ToolCall, type Turn } from '../turn.ts'
import { estimateTokens, messageUsage, resultUsage } from '../usage.ts'
import { bash } from './tools.ts'

/** Scripts with work beside the main text: sub-agents and background tasks. */
export const tasks: Scripts = {
  subagent: {
    about: 'A sub-agent with tools of its own, which reports back; several run at once.',
    options: 'agents=1 tools=2 takesMs=800',
    async *play({ call }) {
      const agents = numberOption(call, 'agents', 1)
      const count = numberOption(call, 'tools', 2)
      yield text(agents === 1 ? 'I delegate to a sub-agent.' : `I delegate to ${agents} sub-agents.`)
      const takesMs = numberOption(call, 'takesMs', 800)
      yield tools(...Array.from({ length: agents }, (_, index) => agent(`Sub work ${index + 1}`, count, takesMs)))
      yield text('The simulated work has been reported back.')
    },
  },
  background: {
    about: 'A command in the background; its end begins a turn that nobody asked for, with a second result.',
    options: 'takesMs=3000',
    async *play({ call }) {
      yield tools(background('sleep 3; echo done', numberOption(call, 'takesMs', 3000)))
      yield text('It runs in the background; I have ended my turn (simulated).')
    },
  },
  // The turn that follows the end of a background task.
  'task-report': {
    about: '',
    async *play({ call }) {
      yield text(textOption(call, 'text', call.text))
    },
  },
}

function background(command: string, takesMs: number): ToolCall {
  const description = 'A simulated background command'
  return {
    ...bash(command, description, '', 0),
    input: { command, description, run_in_background: true },
    run: async ({ session }, toolUseId) => {
      const task = startTask(session, toolUseId, description)
      const output = { stdout: '', stderr: '', interrupted: false, isImage: false, noOutputExpected: false }
      void sleep(takesMs / session.speed).then(() => session.onTaskEnded(task))
      const content = `Command running in background with ID: ${task.id}. You will be notified when it completes. (Simulated)`
      return { content, details: { ...output, backgroundTaskId: task.id } }
    },
  }
}

function startTask(session: Session, toolUseId: string, description: string): BackgroundTask {
  const report = 'The background command has ended (simulated).'
  const task = { id: newId('b'), runId: newId('run'), toolUseId, description, report }
  session.tasks.push(task)
  const running = session.tasks.map(each => ({ ...names(each), task_type: 'local_bash', description }))
  const system = (subtype: string, fields: object) =>
    print(session, stamped(session, { type: 'system', subtype, ...fields }))
  system('background_tasks_changed', { tasks: running })
  const about = { tool_use_id: toolUseId, description, is_backgrounded: true, task_type: 'local_bash' }
  system('task_started', { ...names(task), ...about })
  return task
}

const names = ({ id, runId }: { id: string; runId: string }) => ({ task_id: id, run_id: runId })

function agent(description: string, toolCount: number, takesMs: number): ToolCall {
  const prompt = 'Please pretend to do it.'
  return {
    name: 'Agent',
    input: { description, prompt, subagent_type: agentType, run_in_background: false },
    run: (turn, toolUseId) => runAgent(turn, toolUseId, { description, prompt, toolCount, takesMs }),
  }
}

const agentType = 'general-purpose'

interface AgentWork {
  description: string
  prompt: string
  toolCount: number
  takesMs: number
}

/** Prints the frames of one sub-agent: complete ones only, in its own lane. */
async function runAgent(turn: Turn, toolUseId: string, { description, prompt, toolCount, takesMs }: AgentWork) {
  const { session } = turn
  const id = newId('a')
  const runId = newId('run')
  const beganAt = Date.now()
  const lane = { parent_tool_use_id: toolUseId, agent_id: id }
  const about = { subagent_type: agentType, task_description: description }
  const task = (subtype: string, fields: object) =>
    show(turn, { type: 'system', subtype, task_id: id, run_id: runId, ...fields })
  const inLane = (type: 'assistant' | 'user', fields: object) =>
    show(turn, { type, ...fields, ...lane, timestamp: new Date().toISOString(), ...about })
  const tokens = { input: 10, output: 20, cacheCreation: estimateTokens(prompt), cacheRead: 0 }
  const says = (block: object) =>
    inLane('assistant', {
      message: {
        id: newId('msg'),
        type: 'message',
        role: 'assistant',
        model: session.model,
        content: [block],
        stop_reason: null,
        stop_sequence: null,
        usage: messageUsage({ ...tokens, output: 1 }),
        context_management: null,
      },
      request_id: newId('req'),
    })

  session.agents.spawned += 1
  session.agents.byType[agentType] = (session.agents.byType[agentType] ?? 0) + 1
  const started = { is_backgrounded: false, spawn_depth: 1, task_type: 'local_agent', prompt }
  task('task_started', { tool_use_id: toolUseId, description, subagent_type: agentType, ...started })
  inLane('user', { message: { role: 'user', content: [{ type: 'text', text: prompt }] } })
  const usage = (used: number) => ({
    total_tokens: estimateTokens(prompt) + 20 * used,
    tool_uses: used,
    duration_ms: Date.now() - beganAt,
  })
  for (let used = 1; used <= toolCount; used++) {
    await pause(turn, takesMs / 2)
    const doing = `Command ${used}`
    task('task_progress', {
      tool_use_id: toolUseId,
      description: `Running ${doing}`,
      subagent_type: agentType,
      usage: usage(used),
      last_tool_name: 'Bash',
    })
    const callId = newId('toolu')
    says({ type: 'tool_use', id: callId, name: 'Bash', input: { command: `echo ${used}`, description: doing } })
    spend(session, tokens)
    await pause(turn, takesMs / 2)
    const content = [{ tool_use_id: callId, type: 'tool_result', content: `${used}`, is_error: false }]
    const decision = { decision: 'accept', source: 'config', reason_type: 'rule' }
    const meta = [{ id: callId, permission_decision: decision }]
    inLane('user', { message: { role: 'user', content }, tool_result_meta: meta })
  }
  const report = `Simulated report of ${description}: all good.`
  if (session.args.forwardSubagentText) says({ type: 'text', text: report })
  spend(session, tokens)
  session.agents.completed += 1
  task('task_updated', { patch: { status: 'completed', end_time: Date.now() } })
  const ended = {
    status: 'completed',
    output_file: `/simulated/${id}.output`,
    summary: report,
    usage: usage(toolCount),
  }
  task('task_notification', { tool_use_id: toolUseId, ...ended })
  const details = {
    status: 'completed',
    prompt,
    agentId: id,
    agentType,
    content: [{ type: 'text', text: report }],
    resolvedModel: session.model,
    totalDurationMs: Date.now() - beganAt,
    totalTokens: usage(toolCount).total_tokens,
    totalToolUseCount: toolCount,
    usage: resultUsage(tokens),
  }
  return { content: [{ type: 'text', text: report }], details }
}
