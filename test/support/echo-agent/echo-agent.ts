import { accessSync, constants } from 'node:fs'
import type { AgentOptions, Failure, FailureCode } from '../../../protocol/index.ts'
import {
  type Agent,
  AgentUnavailable,
  type Command,
  type Decoded,
  type Exit,
  type Launch,
  type LaunchRequest,
  type Line,
  type LineContent,
  OptionRefused,
  type Outcome,
  type QuestionAnswer,
} from '../../../daemon/agents/agent.ts'

/**
 * The agent of `echo-agent.sh`: the smallest that runs, asks, is cancelled and resumes. Its options are `env` and
 * `model`.
 */
export const createEchoAgent = (script: string, inherited: NodeJS.ProcessEnv): Agent => ({
  kind: 'echo',
  decoderVersion: 1,
  permissionModes: [],

  async locate() {
    try {
      accessSync(script, constants.X_OK)
    } catch {
      throw new AgentUnavailable(`${script} cannot be executed`, [script], `put the script at ${script}`)
    }
    return { path: script, version: '1' }
  },
  launchSpec({ path, conversation, options, tmpDir }: LaunchRequest) {
    const inheritedHere = Object.entries(inherited).filter((each): each is [string, string] => each[1] !== undefined)
    return {
      command: [path, ...modeOf(conversation)],
      env: { ...Object.fromEntries(inheritedHere), ...options.env, TMPDIR: tmpDir },
      files: new Map(),
    }
  },
  checkOptions(options: AgentOptions) {
    const unknown = Object.keys(options).find(name => name !== 'env' && name !== 'model')
    if (unknown !== undefined)
      throw new OptionRefused(`/${unknown}`, 'the echo agent has no such option', 'env or model')
    return options
  },
  conversations: {
    directory: () => '/nonexistent/echo',
    find: async (directory, id) => ({ lookedAt: `${directory}/${id}` }),
    readEnd: async () => ({ message: undefined, counterUsd: undefined }),
    list: async () => [],
    listOpen: async () => [],
  },

  parse(line) {
    const [word = '', id = '', ...text] = line.toString().trimEnd().split(' ')
    return word === '' ? [] : [{ frame: { word, id, text: text.join(' ') } } satisfies LineContent]
  },
  isFrame: line => /^[a-z]+ \S+( .*)?$/.test(line.toString()),

  begin: ({ claudeSessionId }: Launch): EchoDecoder => ({ said: '', turnAt: 0, conversation: claudeSessionId }),
  decode: (decoder, frame, time) => decodeFrame(decoder as EchoDecoder, frame as Frame, time),
  said: decoder => saidIn(decoder as EchoDecoder),
  forgetTurn: decoder => void ((decoder as EchoDecoder).said = ''),
  exitFailure: (_decoder, { status, stderrTail }: Exit) => failure('crashed', stderrTail || `it ended with ${status}`),
  counterUsd: () => 0,

  encode: (_decoder, command) => lineOf(command),
  failure,
  endedWithoutResult: failure('unknown', 'the turn has no end'),
  holdsLimits: () => true,
  servesOneRun: () => false,
  badRule: rules => (rules.length === 0 ? undefined : { index: 0, problem: 'the echo agent has no permission rules' }),
  denyingRule: () => undefined,
  permissionsToRemember: () => [],
  needsNewProcess: () => false,
})

interface Frame {
  word: string
  id: string
  text: string
}

interface EchoDecoder {
  said: string
  /** When the turn began. */
  turnAt: number
  conversation: string | null
}

function modeOf(conversation: LaunchRequest['conversation']): string[] {
  if ('fork' in conversation) throw new Error('the echo agent cannot fork a conversation')
  return 'start' in conversation ? ['start', conversation.start] : ['resume', conversation.resume]
}

function decodeFrame(decoder: EchoDecoder, frame: Frame, time: number): Decoded {
  const { word, id, text } = frame
  switch (word) {
    case 'conversation':
      decoder.conversation = id
      return { signals: [], events: [{ type: 'session_init', claudeSessionId: id, tools: [], mcpServers: [] }] }
    case 'turn':
      Object.assign(decoder, { said: '', turnAt: time })
      return { turn: { at: 'started', promptUuids: [id], background: null }, signals: [], events: [] }
    case 'say':
      decoder.said += `${text}\n`
      return { signals: [], events: [{ type: 'assistant_text', delta: `${text}\n` }] }
    case 'tool': {
      const question = { requestId: id, kind: 'tool', tool: 'Say', input: { text }, toolUseId: id } as const
      return { signals: [{ signal: 'asked', question: { ...question, inBackground: false } }], events: [] }
    }
    case 'choose': {
      const input = { questions: [{ question: 'Which?', options: text.split(' ').map(label => ({ label })) }] }
      const question = { requestId: id, kind: 'question', tool: 'Choose', input, toolUseId: id } as const
      return { signals: [{ signal: 'asked', question: { ...question, inBackground: false } }], events: [] }
    }
    case 'ok':
      return { signals: [{ signal: 'answered', requestId: id, stillQueued: [], ok: true }], events: [] }
    case 'end': {
      const turn = { at: 'ended', promptUuids: [id], background: null } as const
      const outcome = outcomeOf(decoder, text, time)
      decoder.said = ''
      return { turn: { ...turn, promptUuids: [id] }, signals: [], events: [], outcome }
    }
    default:
      return { signals: [], events: [{ type: 'notice', kind: word, frame }] }
  }
}

const outcomeOf = (decoder: EchoDecoder, how: string, time: number): Outcome =>
  how === 'done'
    ? { type: 'done', ...saidIn(decoder), numTurns: 1, durationMs: Math.max(0, time - decoder.turnAt) }
    : { type: 'failed', failure: failure('killed', `the turn ended: ${how}`), ...saidIn(decoder) }

const saidIn = ({ said }: EchoDecoder) => ({ response: said, transcript: [] })

function lineOf(command: Command): Line[] {
  switch (command.command) {
    case 'prompt':
      return [{ lineId: command.id, line: `prompt ${command.id} ${oneLine(command.text)}` }]
    case 'answer':
      return [{ lineId: `answer-${command.approval}`, line: answerLine(command.requestId, command) }]
    case 'interrupt':
      return [{ lineId: command.requestId, line: `stop ${command.requestId}` }]
    case 'setModel':
      return [{ lineId: command.requestId, line: `model ${command.requestId} ${oneLine(command.model)}` }]
    // A stopped turn withdraws its question. The last two are never requested: see `permissionModes` and `badRule`.
    case 'first':
    case 'withdraw':
    case 'setMode':
    case 'setRules':
      return []
  }
}

function answerLine(requestId: string, { answer, input }: { answer: QuestionAnswer; input: unknown }): string {
  if (answer.behavior === 'deny') return `no ${requestId} ${oneLine(answer.message)}`
  const { text, answers } = (answer.input ?? input) as { text?: string; answers?: Record<string, string> }
  return `yes ${requestId} ${oneLine(text ?? Object.values(answers ?? {}).join(' '))}`
}

const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ')

function failure(code: FailureCode, detail: string): Failure {
  return { code, title: `The echo agent: ${code}`, advice: 'Run it again', detail, retryable: true }
}
