import type { Approval, Decider } from '../../../../protocol/index.ts'
import type { QuestionAnswer } from '../../../agents/agent.ts'

/** How a question ends: the decision of a client, of a policy or rule, of the clock, or its withdrawal. */
export interface Resolution {
  decision: NonNullable<Approval['decision']>
  by?: Decider
  message?: string
  /** The answer for the agent; null if the question was withdrawn. */
  answer: QuestionAnswer | null
}
