import { resumeRun, type LiveRun } from '../machine/fold/live-run.ts'
import {
  goingRun,
  restState,
  type AnsweredQuestion,
  type SessionState,
  type StoredApproval,
} from '../machine/fold/state.ts'
import type { QuestionAnswer } from '../../agents/agent.ts'
import { queuedOf, type StoredFacts } from './stored-facts.ts'

/**
 * Replaces the records of a folded state with those of the tables. Whatever the raw log gives, the stored records
 * decide which runs are unfinished and which questions are open. If both agree, only the identity of the objects
 * changes, so that no unchanged record is published again. `isTrusted`: the fold has applied all acts.
 */
export function reconcile(s: SessionState, facts: StoredFacts, isTrusted: boolean): void {
  const { record, asked } = facts
  const { session, closed } = restState(record)
  s.session = session
  if (record.state === 'closed' || record.state === 'idle') s.closed = closed
  s.head = facts.head
  s.acts = facts.acts
  s.queue = queuedOf(facts)
  const folded = [s.active, s.background]
  s.active = null
  s.background = null
  for (const stored of facts.unfinished) {
    if (stored.run.state === 'queued') continue
    const run: LiveRun = folded.find(each => each?.stored.run.run === stored.run.run) ?? resumeRun(stored)
    run.stored = stored
    if (stored.promptUuid === null) s.background = run
    else s.active = run
  }
  s.open = asked.filter(({ approval }) => approval.state === 'pending')
  for (const { requestId } of asked) s.known.add(requestId)
  if (isTrusted) s.answered = s.answered.filter(({ run }) => run === null || goingRun(s, run))
  else s.answered = answeredOf(s, asked)
  if (s.active && !isTrusted) s.active.answeredAt = Math.max(0, ...asked.map(each => each.approval.resolvedAt ?? 0))
}

/** Returns the stored answers whose delivery is unknown. The answers of a run that has ended have arrived. */
const answeredOf = (s: SessionState, asked: readonly StoredApproval[]): AnsweredQuestion[] =>
  asked
    .filter(({ answer, approval: { run } }) => answer !== null && (run === null || goingRun(s, run)))
    .map(({ approval: { approval, run, toolUseId, input }, requestId, answer }) => ({
      approval,
      run,
      requestId,
      toolUseId,
      input,
      answer: JSON.parse(answer!) as QuestionAnswer,
    }))
