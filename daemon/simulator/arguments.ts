/** The command line, as far as Claude Code's has been measured. Every other option is unknown, as in Claude Code. */
export interface Arguments {
  prompt: string | undefined
  print: boolean
  inputFormat: 'text' | 'stream-json'
  outputFormat: 'text' | 'json' | 'stream-json'
  partialMessages: boolean
  permissionPromptTool: string | undefined
  sessionId: string | undefined
  resume: string | undefined
  forkSession: boolean
  resumeSessionAt: string | undefined
  model: string | undefined
  permissionMode: string
  allowedTools: string[]
  disallowedTools: string[]
  addDirs: string[]
  maxTurns: number | undefined
  maxBudgetUsd: number | undefined
  replayUserMessages: boolean
  forwardSubagentText: boolean
  version: boolean
  help: boolean
}

/** The message is printed to stderr before exit 1. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export const permissionModes = ['acceptEdits', 'auto', 'bypassPermissions', 'default', 'dontAsk', 'plan']

/** Parses `argv` without program and script. Throws `UsageError` with the words of the real command line. */
export function parseArguments(argv: readonly string[]): Arguments {
  const { values, rest } = collect(argv)
  const one = (flag: string) => values.get(flag)?.at(-1)
  const has = (flag: string) => values.has(flag)
  const many = (flag: string) => (values.get(flag) ?? []).flatMap(value => value.split(',')).filter(Boolean)
  const given: Arguments = {
    prompt: rest.length === 0 ? undefined : rest.join(' '),
    print: has('--print'),
    inputFormat: (one('--input-format') ?? 'text') as Arguments['inputFormat'],
    outputFormat: (one('--output-format') ?? 'text') as Arguments['outputFormat'],
    partialMessages: has('--include-partial-messages'),
    permissionPromptTool: one('--permission-prompt-tool'),
    sessionId: one('--session-id'),
    resume: one('--resume'),
    forkSession: has('--fork-session'),
    resumeSessionAt: one('--resume-session-at'),
    model: one('--model'),
    permissionMode: one('--permission-mode')?.replace(/^manual$/, 'default') ?? 'default',
    allowedTools: many('--allowedTools'),
    disallowedTools: many('--disallowedTools'),
    addDirs: many('--add-dir'),
    maxTurns: number(one('--max-turns')),
    maxBudgetUsd: number(one('--max-budget-usd')),
    replayUserMessages: has('--replay-user-messages'),
    forwardSubagentText: has('--forward-subagent-text'),
    version: has('--version'),
    help: has('--help'),
  }
  if (!given.version && !given.help) checkTogether(given, has('--verbose'))
  return given
}

type Flag =
  | { takes: 'nothing' }
  | {
      takes: 'one' | 'many'
      value: string
      choices?: readonly string[]
      refuse?: (value: string) => string | undefined
    }

const notANumber = (value: string) => (Number.isFinite(Number(value)) ? undefined : 'must be a number')

const flags: Record<string, Flag> = {
  '--print': { takes: 'nothing' },
  '--verbose': { takes: 'nothing' },
  '--include-partial-messages': { takes: 'nothing' },
  '--fork-session': { takes: 'nothing' },
  '--replay-user-messages': { takes: 'nothing' },
  '--forward-subagent-text': { takes: 'nothing' },
  '--version': { takes: 'nothing' },
  '--help': { takes: 'nothing' },
  '--input-format': { takes: 'one', value: '<format>', choices: ['text', 'stream-json'] },
  '--output-format': { takes: 'one', value: '<format>', choices: ['text', 'json', 'stream-json'] },
  '--permission-prompt-tool': { takes: 'one', value: '<tool>' },
  '--session-id': { takes: 'one', value: '<uuid>' },
  '--resume': { takes: 'one', value: '<value>' },
  '--resume-session-at': { takes: 'one', value: '<message id>' },
  '--model': { takes: 'one', value: '<model>' },
  '--permission-mode': {
    takes: 'one',
    value: '<mode>',
    choices: ['acceptEdits', 'auto', 'bypassPermissions', 'manual', 'dontAsk', 'plan', 'default'],
  },
  '--append-system-prompt': { takes: 'one', value: '<prompt>' },
  '--append-system-prompt-file': { takes: 'one', value: '<file>' },
  '--max-turns': { takes: 'one', value: '<turns>', refuse: notANumber },
  '--max-budget-usd': {
    takes: 'one',
    value: '<amount>',
    refuse: value => (Number(value) > 0 ? undefined : '--max-budget-usd must be a number greater than 0'),
  },
  '--settings': { takes: 'one', value: '<file-or-json>' },
  '--allowedTools': { takes: 'many', value: '<tools...>' },
  '--disallowedTools': { takes: 'many', value: '<tools...>' },
  '--add-dir': { takes: 'many', value: '<directories...>' },
  '--mcp-config': { takes: 'many', value: '<configs...>' },
}

const aliases: Record<string, string> = {
  '-p': '--print',
  '-v': '--version',
  '-h': '--help',
  '-r': '--resume',
  '--allowed-tools': '--allowedTools',
  '--disallowed-tools': '--disallowedTools',
}

function collect(argv: readonly string[]): { values: Map<string, string[]>; rest: string[] } {
  const values = new Map<string, string[]>()
  const rest: string[] = []
  const left = [...argv]
  for (let argument = left.shift(); argument !== undefined; argument = left.shift()) {
    if (argument === '--') {
      rest.push(...left.splice(0))
      break
    }
    if (!argument.startsWith('-') || argument === '-') {
      rest.push(argument)
      continue
    }
    const [, written = argument, inline] = /^(--[^=]+)=([^]*)$/.exec(argument) ?? []
    const name = aliases[written] ?? written
    const flag = flags[name]
    if (flag === undefined) throw new UsageError(`error: unknown option '${argument}'`)
    const taken = values.get(name) ?? []
    values.set(name, taken)
    if (flag.takes === 'nothing') continue
    const first = inline ?? left.shift()
    const shown = `option '${name} ${flag.value}' argument`
    if (first === undefined) throw new UsageError(`error: ${shown} missing`)
    taken.push(first)
    // A variadic flag takes the arguments up to the next flag; `--flag=value` is one value.
    if (flag.takes === 'many' && inline === undefined)
      while (left[0] !== undefined && !left[0].startsWith('-')) taken.push(left.shift()!)
    if (flag.choices && !flag.choices.includes(first)) {
      const allowed = flag.choices.filter(choice => choice !== 'default').join(', ')
      throw new UsageError(`error: ${shown} '${first}' is invalid. Allowed choices are ${allowed}.`)
    }
    const refused = flag.refuse?.(first)
    if (refused !== undefined) throw new UsageError(`error: ${shown} '${first}' is invalid. ${refused}`)
  }
  return { values, rest }
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

function checkTogether(given: Arguments, verbose: boolean): void {
  if (!given.print) throw new UsageError('Error: the muxd simulator has no interactive mode; give --print')
  if (given.sessionId !== undefined && !uuid.test(given.sessionId))
    throw new UsageError('Error: Invalid session ID. Must be a valid UUID.')
  if (given.sessionId !== undefined && given.resume !== undefined && !given.forkSession)
    throw new UsageError('Error: --session-id with --continue or --resume also needs --fork-session.')
  if (given.inputFormat === 'stream-json' && given.outputFormat !== 'stream-json')
    throw new UsageError('Error: --input-format=stream-json requires output-format=stream-json.')
  if (given.outputFormat === 'stream-json' && !verbose)
    throw new UsageError('Error: When using --print, --output-format=stream-json requires --verbose')
}

const number = (value: string | undefined) => (value === undefined ? undefined : Number(value))

export const isUuid = (text: string): boolean => uuid.test(text)
