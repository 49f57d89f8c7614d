import { isEnded } from '../fold/run-state.ts'
import type { Effect } from '../effect.ts'
import type { Work } from '../machine.ts'
import { runRecord } from '../project.ts'

/** Puts the records as they are at the end of the step into the answers to calls. */
export function finishAnswers(w: Work): void {
  w.out.effects = w.out.effects.map(each => (each.effect === 'answer' ? withRecord(w, each) : each))
}

function withRecord(w: Work, answer: Extract<Effect, { effect: 'answer' }>): Effect {
  if (!('run' in answer.result) || answer.result.run === null) return answer
  const { run: before } = answer.result
  const ended = w.out.ended.find(({ run }) => run.run === before.run)
  const run = ended?.run ?? runRecord(w, before.run)?.run ?? before
  // The answer with an ended run waits until readers can see the end.
  return { ...answer, result: { run }, after: isEnded(run.state) ? 'published' : 'commit' }
}
