import { isEnded } from '../run-state.ts'
import type { Effect } from './effect.ts'
import type { Work } from './machine.ts'
import { runRecord } from './project.ts'

/** Answers calls with the records as they are when all that follows from the call is done. */
export function finishAnswers(w: Work): void {
  w.out.effects = w.out.effects.map(each => (each.effect === 'answer' ? withRecord(w, each) : each))
}

function withRecord(w: Work, answer: Extract<Effect, { effect: 'answer' }>): Effect {
  if (!('run' in answer.result) || answer.result.run === null) return answer
  const { run: before } = answer.result
  const ended = w.out.ended.find(({ run }) => run.run === before.run)
  const run = ended?.run ?? runRecord(w, before.run)?.run ?? before
  // An end is answered when readers can see it.
  return { ...answer, result: { run }, after: isEnded(run.state) ? 'published' : 'commit' }
}
