import { message, text, tool } from '../reply.ts'
import type { Scenario } from './scenario.ts'

/** Tools that need a permission, each call its own. */
export const permissions: Record<string, Scenario> = {
  /** A tool that needs a permission. */
  write: ({ toolResults, argument }) =>
    toolResults.length > 0
      ? message([text(toolResults[0]!.isError ? 'It was not allowed.' : 'It is written.')])
      : message([tool('Write', { file_path: argument || '/nowhere/file.txt', content: 'text' })]),
  /** A command that needs a permission. */
  touch: ({ toolResults, argument }) =>
    toolResults.length > 0
      ? message([text(toolResults[0]!.isError ? 'It was not allowed.' : 'Touched.')])
      : message([touch(argument || 'touched')]),
  'touch-both': ({ toolResults }) =>
    toolResults.length > 0 ? message([text('Both are over.')]) : message([touch('one'), touch('two')]),
  /** A sub-agent that needs a permission. The argument `background` runs it in the background. */
  'asking-agent': ({ toolResults, taskEnded, argument }) => {
    if (taskEnded) return message([text('The background agent has ended.')])
    if (toolResults.length > 0) return message([text('The agent reported back.')])
    const about = { description: 'Touch something', prompt: 'scn:touch:by-the-agent please' }
    return message([
      tool('Agent', { ...about, subagent_type: 'general-purpose', run_in_background: argument === 'background' }),
    ])
  },
  ask: ({ toolResults }) =>
    toolResults.length > 0
      ? message([text('Noted.')])
      : message([
          tool('AskUserQuestion', {
            questions: [
              { question: 'Which colour?', header: 'Colour', multiSelect: false, options: options('Red', 'Blue') },
              { question: 'Which sizes?', header: 'Sizes', multiSelect: true, options: options('S', 'L') },
            ],
          }),
        ]),
  /** For plan mode: the plan is a file, and Claude Code gives its name to the model. */
  plan: ({ toolResults, body }) => {
    if (toolResults.length > 1) return message([text('On with it.')])
    if (toolResults.length === 1) return message([tool('ExitPlanMode', {})])
    const file = /[^"\\ ]*\/plans\/[\w-]+\.md/.exec(JSON.stringify(body))?.[0] ?? '/nowhere/plan.md'
    return message([tool('Write', { file_path: file, content: 'First this, then that.' })])
  },
}

const touch = (name: string) => tool('Bash', { command: `touch ${name}.txt`, description: `Touch ${name}` })
const options = (...labels: string[]) => labels.map(label => ({ label, description: `The option ${label}` }))
