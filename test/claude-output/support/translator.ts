import type { Launch } from '../../../daemon/agents/agent.ts'
import { claude } from '../../../daemon/agents/claude/agent.ts'
import type { EventBody } from '../../../protocol/index.ts'

export type TranslatorOptions = Partial<Launch>

/** Creates the decoder of one process, for tests of the events alone. */
export function createTranslator({ costUsd = 0, ...more }: TranslatorOptions = {}) {
  const decoder = claude.begin({ claudeSessionId: null, costUsd, counterUsd: costUsd, resumed: false, ...more })
  const { translator: state } = decoder
  return {
    /** Returns the events of one frame, including the outcome of a turn. */
    frame(frame: unknown, time: number): EventBody[] {
      const decoded = claude.decode(decoder, frame, time)
      if ('unparsed' in decoded) throw new Error(`not decoded: ${JSON.stringify(frame)}`)
      const { events, outcome } = decoded
      return outcome ? [...events, outcome] : [...events]
    },
    reset: () => claude.forgetTurn(decoder),
    outcome: () => claude.said(decoder),
    get claudeSessionId() {
      return state.claudeSessionId
    },
    get costUsd() {
      return state.cost.totalUsd
    },
    get counterUsd() {
      return state.cost.counterUsd
    },
    get tokens() {
      return state.tokens
    },
    get apiError() {
      return state.apiError
    },
  }
}
