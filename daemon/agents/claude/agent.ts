import type { Agent, Exit, Launch } from '../agent.ts'
import { noBackgroundTasks } from './background-tasks.ts'
import type { ClaudeDecoder } from './claude-decoder.ts'
import { decode } from './decode.ts'
import { classifyExit } from './failure.ts'
import { outcomeOf } from './translate/result.ts'
import { createTranslatorState, forgetTurn } from './translate/state.ts'

/** Claude Code as an `Agent`. */
export const claude = {
  begin: (launch: Launch): ClaudeDecoder => ({ translator: createTranslatorState(launch), tasks: noBackgroundTasks }),
  decode,
  said: ({ translator }: ClaudeDecoder) => outcomeOf(translator.turn),
  forgetTurn: ({ translator }: ClaudeDecoder) => forgetTurn(translator),
  exitFailure: ({ translator: { apiError, rateLimit } }: ClaudeDecoder, exit: Exit) =>
    classifyExit({ ...exit, apiError, rateLimit }),
  counterUsd: ({ translator }: ClaudeDecoder) => translator.cost.counterUsd,
} satisfies Agent
