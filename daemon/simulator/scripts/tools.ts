import { join } from 'node:path'
import { listOption, numberOption, textOption } from '../prompt.ts'
import type { Scripts } from '../script.ts'
import { text, tools } from '../steps.ts'
import type { ToolCall } from '../turn.ts'

/** Scripts with tools. Nothing is run, read or written: the outputs are made up. */
export const toolScripts: Scripts = {
  tools: {
    about: 'Three tools one after the other: reading, a command, a command that fails.',
    options: 'takesMs=600',
    async *play({ call }) {
      const takesMs = numberOption(call, 'takesMs', 600)
      yield text('I will read a file first.')
      yield tools(read('README.md', takesMs))
      yield text('Then run the tests.')
      yield tools(bash('npm test', 'Run the tests', 'Tests  12 passed (simulated)', takesMs))
      yield tools({ ...bash('false', 'Run a command that fails', 'Exit code 1', takesMs), isError: true })
      yield text('Two of three simulated tools went well.')
    },
  },
  parallel: {
    about: 'Several tools of one message at once; their results come in the order in which they end.',
    options: 'tools=3 takesMs=900',
    async *play({ call }) {
      const count = numberOption(call, 'tools', 3)
      const takesMs = numberOption(call, 'takesMs', 900)
      yield text(`${count} tools at once.`)
      const one = (_: unknown, index: number) =>
        bash(`echo ${index + 1}`, `Command ${index + 1}`, `${index + 1}`, (takesMs * (count - index)) / count)
      yield tools(...Array.from({ length: count }, one))
      yield text('All of them are done (simulated).')
    },
  },
  loop: {
    about: 'One tool after the other, for `--max-turns` and `--max-budget-usd`.',
    options: 'rounds=20 takesMs=300',
    async *play({ call }) {
      const takesMs = numberOption(call, 'takesMs', 300)
      for (let round = 0; round < numberOption(call, 'rounds', 20); round++) {
        yield text(`Round ${round}.`)
        yield tools(bash(`echo round-${round}`, 'Loop', `round-${round}`, takesMs))
      }
      yield text('The simulated loop has ended.')
    },
  },
  'broken-input': {
    about: 'A tool call whose input is no JSON.',
    async *play() {
      yield tools({ ...bash('', '', '', 100), input: '{"command": "echo trunc', isError: true })
      yield text('After the broken tool input (simulated).')
    },
  },
  permission: {
    about: 'A tool that needs permission, and what follows an allow and a deny.',
    options: 'tools=1 file=simulated.txt command=',
    async *play({ call }) {
      const file = textOption(call, 'file', 'simulated.txt')
      const count = numberOption(call, 'tools', 1)
      const command = textOption(call, 'command', '')
      yield text(command ? 'I would like to run a command.' : 'I would like to write a file.')
      const writes = Array.from({ length: count }, (_, index) =>
        command
          ? { ...bash(command, 'A command', 'simulated', 200), asks: true }
          : write(index === 0 ? file : `${index + 1}-${file}`),
      )
      const outcomes = yield tools(...writes)
      const refused = outcomes.find(({ allowed }) => !allowed)
      yield text(
        refused
          ? `It was not allowed: ${refused.message}. (Simulated; nothing would have been written.)`
          : `It was allowed: ${outcomes.map(({ input }) => String(input['file_path'] ?? input['command'])).join(', ')}. (Simulated; nothing was written.)`,
      )
    },
  },
  question: {
    about: 'A question with options, answered through the permission relay.',
    options: 'multi=false options=Red,Green,Blue [question]',
    async *play({ call }) {
      const given = listOption(call, 'options')
      const labels = given.length > 0 ? given : ['Red', 'Green', 'Blue']
      const question = call.text || 'Which colour?'
      const multiSelect = textOption(call, 'multi', 'false') === 'true'
      const options = labels.map(label => ({ label, description: `The option ${label}` }))
      const input = { questions: [{ question, header: 'Simulated', options, multiSelect }] }
      const [outcome] = yield tools({ name: 'AskUserQuestion', input, asks: true, takesMs: 0, output: answered })
      const answers = outcome?.input['answers'] as Record<string, unknown> | undefined
      const said = answers ? `You answered: ${JSON.stringify(answers)}` : `No answer: ${outcome?.message ?? 'none'}`
      yield text(`${said} (simulated).`)
    },
  },
  plan: {
    about: 'A plan to approve.',
    async *play() {
      const plan = '1. Pretend to look.\n2. Pretend to change.\n3. Say that it was simulated.'
      const call = { name: 'ExitPlanMode', input: { plan }, asks: true, takesMs: 0, output: 'The plan is approved.' }
      const [outcome] = yield tools(call)
      yield text(outcome?.allowed ? 'I go on with the simulated plan.' : 'I keep planning (simulated).')
    },
  },
}

export const bash = (command: string, description: string, output: string, takesMs: number): ToolCall => ({
  name: 'Bash',
  input: { command, description },
  output,
  takesMs,
})

export const listFiles = (): ToolCall => bash('ls', 'List the files (simulated)', 'README.md\nsimulated.txt', 700)

function read(name: string, takesMs: number): ToolCall {
  const content = '# Simulated\n\nThis file was not read.\n'
  const filePath = join(process.cwd(), name)
  const file = { filePath, content, numLines: 4, startLine: 1, totalLines: 4 }
  const output = content
    .split('\n')
    .map((line, index) => `${index + 1}\t${line}`)
    .join('\n')
  return { name: 'Read', input: { file_path: filePath }, output, takesMs, details: () => ({ type: 'text', file }) }
}

function write(name: string): ToolCall {
  return {
    name: 'Write',
    input: { file_path: join(process.cwd(), name), content: 'written by nobody: simulated\n' },
    asks: true,
    takesMs: 200,
    output: input => `File created successfully at: ${String(input['file_path'])} (simulated)`,
    details: input => ({
      type: 'create',
      filePath: input['file_path'],
      content: input['content'],
      structuredPatch: [],
      originalFile: null,
      userModified: false,
    }),
  }
}

const answered = (input: Record<string, unknown>) => `User has answered: ${JSON.stringify(input['answers'] ?? {})}`
