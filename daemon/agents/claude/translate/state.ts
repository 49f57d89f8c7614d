import type { Tokens } from '../../../../protocol/index.ts'
import { noTokens } from '../../../usage/tokens.ts'
import type { Launch } from '../../agent.ts'
import type { ApiError, RateLimit } from '../facts/failure.ts'
import type { CostState } from './cost.ts'
import { clearTurn, createTurnState, type TurnState } from './turn-state.ts'

/** The state of a translator: the turn, and the little that outlives it. Plain data whose parts refer to each other. */
export interface TranslatorState {
  turn: TurnState
  /** Claude Code's id of the conversation: the first one seen, then the latest. */
  claudeSessionId: string | null
  /** The reason for the next new session id, if a frame has named it. */
  resetReason: string | null
  cost: CostState
  /** The tokens of the latest result. */
  tokens: Tokens
  /** The tool use ids of running tasks, by task id. The lanes of these tasks outlive the turn. */
  tasks: Map<string, string>
  resumed: boolean
  /** The process has begun a turn. A failure before that is a failed start. */
  sawInit: boolean
  /** The last API error in this turn. */
  apiError: ApiError | null
  /** The model refused in this turn, and no other model was asked. */
  refused: boolean
  /** The message of the hook that refused the prompt of this turn. */
  blockedBy: string | null
  rateLimit: RateLimit | null
}

export function createTranslatorState({ claudeSessionId, costUsd, counterUsd, resumed }: Launch): TranslatorState {
  return {
    turn: createTurnState(),
    claudeSessionId,
    resetReason: null,
    cost: {
      totalUsd: costUsd,
      beforeUsd: costUsd - counterUsd,
      counterUsd,
      models: resumed ? null : new Map(),
    },
    tokens: noTokens,
    tasks: new Map(),
    resumed,
    sawInit: false,
    apiError: null,
    refused: false,
    blockedBy: null,
    rateLimit: null,
  }
}

/** Forgets the turn and the tasks, and keeps the id of the conversation and its cost. */
export function forgetTurn(state: TranslatorState): void {
  clearTurn(state.turn, () => false)
  state.tasks.clear()
  state.apiError = null
  state.refused = false
  state.blockedBy = null
}
