import { message, text, tool } from '../reply.ts'
import type { Scenario } from './scenario.ts'

export const tools: Record<string, Scenario> = {
  bash: ({ toolResults }) =>
    toolResults.length > 0
      ? message([text('The tool has run.')])
      : message([
          text('I will run a command.'),
          tool('Bash', { command: 'echo from-bash', description: 'Say something' }),
        ]),
  /** Prints the environment of the processes that Claude Code starts. */
  environment: ({ toolResults }) =>
    toolResults.length > 0
      ? message([text('That is all of it.')])
      : message([tool('Bash', { command: 'env', description: 'Show the environment' })]),
  /** Two calls in one message. */
  parallel: ({ toolResults }) =>
    toolResults.length > 0
      ? message([text(`Both have run: ${toolResults.length} results.`)])
      : message([
          tool('Bash', { command: 'sleep 0.3; echo first', description: 'The slow one' }),
          tool('Bash', { command: 'echo second', description: 'The quick one' }),
        ]),
  /** A command that runs until it is killed. Its command line contains the argument, so that a test finds its own. */
  'long-tool': ({ toolResults, argument }) =>
    toolResults.length > 0
      ? message([text('The long tool is over.')])
      : message([
          tool('Bash', {
            command: `until test -e /nowhere/${argument || 'long-tool'}; do sleep 0.1; done`,
            description: 'Take long',
            timeout: 600_000,
          }),
        ]),
  /** A tool call whose input is not JSON. */
  'broken-tool': ({ toolResults }) =>
    toolResults.length > 0 ? message([text('Never mind.')]) : message([tool('Bash', '{"command": "echo')]),
  /** A sub-agent. Its prompt selects the scenario `agent-work`. */
  agent: ({ toolResults }) =>
    toolResults.length > 0
      ? message([text('The agent reported back.')])
      : message([
          tool('Agent', {
            description: 'Look around',
            prompt: 'scn:agent-work please',
            subagent_type: 'general-purpose',
            run_in_background: false,
          }),
        ]),
  'agent-work': ({ toolResults }) =>
    toolResults.length > 0
      ? message([text('The agent is through.')])
      : message([tool('Bash', { command: 'echo from-the-agent', description: 'Say something' })]),
  /** A background command that ends after the turn that started it. The CLI then begins a turn itself. */
  background: ({ toolResults, taskEnded }) => {
    if (taskEnded) return message([text('The background task has ended.')])
    if (toolResults.length > 0) return message([text('It runs in the background.')])
    return message([
      tool('Bash', { command: 'sleep 1; echo from-background', description: 'Wait', run_in_background: true }),
    ])
  },
  /** A background command that runs until it is killed. Its command line contains the argument. */
  'long-background': ({ toolResults, argument }) =>
    toolResults.length > 0
      ? message([text('It will run for ever.')])
      : message([
          tool('Bash', {
            command: `until test -e /nowhere/${argument || 'long-background'}; do sleep 0.1; done`,
            description: 'Take long',
            run_in_background: true,
          }),
        ]),
  /** Calls a tool repeatedly, for turn limits. */
  loop: () => message([tool('Bash', { command: 'echo again', description: 'Again' })]),
}
