import type { FailureCode } from '../../../../protocol/index.ts'
import type { AgentCodec, Command, Decoded } from '../../../../daemon/agents/agent.ts'

/** An agent whose frames are `Decoded` objects and whose input lines are commands as JSON. */

export type Frame = Partial<Decoded> & { text?: string }

interface ScriptedDecoder {
  said: string
}

const failure = (code: FailureCode, detail: string) => ({ code, title: code, detail, retryable: false })

export const scripted: AgentCodec = {
  kind: 'scripted',
  decoderVersion: 1,
  parse: line => [{ frame: JSON.parse(line.toString()) as Record<string, unknown> }],
  isFrame: () => true,
  begin: () => ({ said: '' }) satisfies ScriptedDecoder,
  decode(decoder, given) {
    const d = decoder as ScriptedDecoder
    const { text, ...facts } = structuredClone(given) as Frame
    if (facts.turn?.at === 'started') d.said = ''
    if (text !== undefined) d.said += text
    const decoded: Decoded = { signals: [], events: [], ...facts }
    if (text !== undefined) decoded.events = [...decoded.events, { type: 'assistant_text', delta: text }]
    if (decoded.outcome) {
      decoded.outcome.response = d.said
      decoded.spare = { type: 'notice', kind: 'result', frame: null }
      d.said = ''
    }
    return decoded
  },
  said: decoder => ({ response: (decoder as ScriptedDecoder).said, transcript: [] }),
  forgetTurn: decoder => void ((decoder as ScriptedDecoder).said = ''),
  exitFailure: (_decoder, { status }) => failure('crashed', String(status)),
  counterUsd: () => 0,
  encode(_decoder, command) {
    const lineId =
      command.command === 'first'
        ? 'init'
        : command.command === 'prompt'
          ? command.id
          : command.command === 'answer' || command.command === 'withdraw'
            ? `answer-${command.approval}`
            : command.requestId
    return command.command === 'withdraw' ? [] : [{ lineId, line: JSON.stringify(command) }]
  },
  failure,
  endedWithoutResult: failure('unknown', 'no result'),
  holdsLimits: (one, other) =>
    one?.maxTurns === other?.maxTurns && one?.maxBudgetUsd === undefined && other?.maxBudgetUsd === undefined,
  servesOneRun: limits => limits?.maxBudgetUsd !== undefined,
  badRule(rules) {
    const index = rules.indexOf('bad')
    return index < 0 ? undefined : { index, problem: 'a bad rule' }
  },
  denyingRule: (rules, _cwd, tool) => rules.find(rule => rule === `deny ${tool}`),
  permissionsToRemember: suggestions => [...suggestions],
  needsNewProcess: ({ errorCode }) => errorCode === 'new_process',
}

export const commandOf = (line: string): Command => JSON.parse(line) as Command
