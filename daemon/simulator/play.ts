import { showAbort } from './abort.ts'
import { initFrame, lifecycleFrame } from './frames.ts'
import { closeMessage } from './message.ts'
import type { Call } from './prompt.ts'
import { errorEnding, showResult, successEnding } from './result.ts'
import type { Script } from './script.ts'
import { print, remember, totalCost } from './session.ts'
import type { ToolOutcome } from './tools.ts'
import type { StopCause, Turn } from './turn.ts'

export type Outcome = 'well' | 'badly' | 'without a result'

/** A script with the prompt that chose it. */
export interface Part {
  script: Script
  call: Call
}

/**
 * Plays a turn from `init` to `result`. `joined` returns the prompts that came in meanwhile: as in Claude Code, they
 * join a running turn between two requests (after a tool) and are answered in it. Resolves with how the turn ended.
 */
export async function playTurn(turn: Turn, first: Part, joined: () => Part[]): Promise<Outcome> {
  const { session } = turn
  first.script.before?.(turn)
  if (!first.script.bare) print(session, initFrame(session, turn.uuids))
  try {
    const parts = [first]
    for (let part = parts.shift(); part && !turn.ending; part = parts.shift())
      await playScript(turn, part, () => parts.push(...joined()))
  } catch (error) {
    if (!turn.stop.signal.aborted) throw error
    endJoined(turn, 'badly')
    const told = showAbort(turn, turn.stop.signal.reason as StopCause)
    remember(session)
    return told ? 'badly' : 'without a result'
  }
  if (first.script.bare) return 'well'
  if (!turn.ending) closeMessage(turn, 'end_turn')
  const ending = turn.ending ?? successEnding(turn)
  const how = (ending as { is_error?: boolean }).is_error ? 'badly' : 'well'
  endJoined(turn, how)
  remember(session)
  showResult(turn, ending)
  return how
}

// The end of the prompt that began the turn is reported after the result, the end of those that joined before it.
function endJoined({ session, uuids }: Turn, how: Outcome): void {
  const state = how === 'well' ? 'completed' : 'cancelled'
  for (const uuid of uuids.slice(1)) print(session, lifecycleFrame(session, uuid, state))
}

async function playScript(turn: Turn, { script, call }: Part, onToolsDone: () => void): Promise<void> {
  const steps = script.play({ call, session: turn.session })
  let outcomes: ToolOutcome[] = []
  for (;;) {
    const { value: step, done } = await steps.next(outcomes)
    if (done) return
    const given = await step(turn)
    outcomes = given ?? []
    if (given && !turn.ending) {
      turn.ending = limitReached(turn)
      if (!turn.ending) onToolsDone()
    }
    if (turn.ending) return
  }
}

/** Checked where the next request would be made. */
function limitReached(turn: Turn): object | undefined {
  const { maxTurns, maxBudgetUsd } = turn.session.args
  if (maxTurns !== undefined && turn.requests >= maxTurns)
    return errorEnding('error_max_turns', 'max_turns', [`Reached maximum number of turns (${maxTurns})`])
  if (maxBudgetUsd !== undefined && totalCost(turn.session) - turn.session.costBefore >= maxBudgetUsd)
    return errorEnding('error_max_budget_usd', 'budget_exhausted', [`Reached maximum budget ($${maxBudgetUsd})`])
  return undefined
}
