import type { Tokens } from '../../../../protocol/index.ts'
import { noTokens } from '../../../usage/tokens.ts'
import type { Launch } from '../../agent.ts'
import type { ApiError, RateLimit } from '../failure.ts'
import type { CostState } from './cost.ts'
import { clearTurn, createTurnState, type TurnState } from './turn-state.ts'

/** All that a translator remembers: the turn, and the little that outlives it. Plain data, whose parts refer to each other. */
export interface TranslatorState {
  turn: TurnState
  /** Claude Code's id of the conversation: the first seen, then the latest. */
  claudeSessionId: string | null
  /** Why the next new session id is new, once a frame has said so. */
  resetReason: string | null
  cost: CostState
  /** Of the latest result. */
  tokens: Tokens
  /** Tool use ids of the tasks that run, by task id: their lanes outlive the turn. */
  tasks: Map<string, string>
  resumed: boolean
  /** The process has begun a turn: before that, its failure is one of starting. */
  sawInit: boolean
  /** What the API answered last in this turn that was an error. */
  apiError: ApiError | null
  /** The model refused in this turn, and no other model was asked. */
  refused: boolean
  /** The words of the hook that refused the prompt of this turn. */
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

/** Forgets everything in flight; the id of the conversation and its cost stay. */
export function forgetTurn(state: TranslatorState): void {
  clearTurn(state.turn, () => false)
  state.tasks.clear()
  state.apiError = null
  state.refused = false
  state.blockedBy = null
}
