import { createHash } from 'node:crypto'
import { type Actor, type Approval, limits } from '../../../../protocol/index.ts'
import type { Question } from '../../../agents/agent.ts'
import { isEnded } from './run-state.ts'
import type { LiveRun } from './live-run.ts'
import type { Resolution } from './resolution.ts'
import type { Sink, Source } from './sink.ts'
import { currentRun, goingRun, idOf, type SessionState, type StoredApproval } from './state.ts'

/** The part of the fold for approvals: the questions of the agent and their ends. */

/** Opens an approval for a question of the agent. Ignores a repeated question, even if it was answered before. */
export function ask(s: SessionState, told: Question, time: number, sink: Sink, source: Source): void {
  const { requestId, kind, tool, input, toolUseId, description, suggestions, parent, ...more } = told
  const { inBackground, ...reason } = more
  if (s.known.has(requestId)) return
  s.known.add(requestId)
  // Background work outlives the turn in which it began.
  const run = inBackground ? null : idOf(currentRun(s))
  const asked = {
    approval: approvalId(source, requestId),
    kind,
    tool,
    input,
    toolUseId,
    ...(description !== undefined && { description }),
    ...(suggestions && { suggestions }),
    ...reason,
  }
  const lane = parent === undefined ? {} : { parent }
  const { session, approvals } = s.session
  const expiresAt = approvals?.expiresAfterMs === undefined ? null : time + approvals.expiresAfterMs
  const expiry = expiresAt === null ? {} : { expiresAt }
  sink.event({ type: 'approval_requested', ...lane, ...asked, ...expiry }, run, time, source)
  const approval: Approval = { session, run, ...lane, ...asked, state: 'pending', requestedAt: time, expiresAt }
  s.open = [...s.open, { approval, process: source.process, requestId, answer: null }]
}

/** Returns the id of an approval, the same each time the output is read. One line may hold several questions. */
const approvalId = ({ process, offset }: Source, requestId: string): string =>
  `a_${createHash('sha256').update(`${process} ${offset} ${requestId}`).digest('base64url').slice(0, 21)}`

/** Resolves a question by the decision of a client, a policy or the clock, and keeps the answer for the agent. */
export function resolve(s: SessionState, id: string, resolution: Resolution, time: number, sink: Sink): void {
  const question = s.open.find(({ approval }) => approval.approval === id)
  if (!question) return
  close(s, question, resolution, time, sink)
  remember(s, question, resolution)
  if (s.active) s.active.answeredAt = Math.max(s.active.answeredAt ?? 0, time)
}

/** Withdraws a question for which the agent no longer awaits an answer. */
export function takeBack(s: SessionState, requestId: string, time: number, sink: Sink, source: Source): void {
  const question = s.open.find(each => each.requestId === requestId)
  if (question) close(s, question, withdrawn(cancellerOf(s, question.approval)), time, sink, source)
}

/** Withdraws the questions of a run that is being cancelled or has ended. */
export function withdrawQuestions(
  s: SessionState,
  run: LiveRun,
  hasEnded: boolean,
  time: number,
  sink: Sink,
  source?: Source,
): void {
  const id = idOf(run)
  const other = [s.active, s.background].find(each => each && each !== run && !isEnded(each.stored.run.state))
  for (const question of s.open.filter(({ approval }) => approval.run === id)) {
    close(s, question, withdrawn(run.cancel?.by), time, sink, source)
    // Another turn goes on in the process, and could wait for ever without an answer.
    if (hasEnded && other) remember(s, { ...question, approval: { ...question.approval, run: idOf(other) } }, endedDeny)
    else remember(s, question, withdrawn(undefined))
  }
}

/** Withdraws all open questions, because the process is gone. */
export function withdrawAll(s: SessionState, time: number, sink: Sink): void {
  for (const question of s.open) close(s, question, withdrawn(undefined), time, sink)
}

/** Returns the client that has cancelled the run of a question. */
export const cancellerOf = (s: SessionState, { run }: Approval): Actor | undefined => goingRun(s, run)?.cancel?.by

function close(
  s: SessionState,
  question: StoredApproval,
  { decision, by, message, answer }: Resolution,
  time: number,
  sink: Sink,
  source?: Source,
): void {
  s.open = s.open.filter(other => other !== question)
  const { approval: before } = question
  const lane = before.parent === undefined ? {} : { parent: before.parent }
  const decided = { decision, ...(by && { by }), ...(message !== undefined && { message }) }
  const allowed = answer?.behavior === 'allow' ? answer : undefined
  sink.event(
    {
      type: 'approval_resolved',
      ...lane,
      approval: before.approval,
      ...decided,
      ...(allowed?.input !== undefined && { input: allowed.input }),
      ...(allowed?.permissions && { remembered: allowed.permissions }),
    },
    before.run,
    time,
    source,
  )
  const approval: Approval = { ...before, state: 'resolved', ...decided, resolvedAt: time }
  sink.facts.resolved.push({ ...question, approval, answer: answer && JSON.stringify(answer) })
}

/**
 * Keeps an answer until its run ends or the agent shows that it has the answer. Lines arrive in order, so the newest
 * suffice.
 */
function remember(
  s: SessionState,
  { approval, requestId }: StoredApproval,
  { answer }: Pick<Resolution, 'answer'>,
): void {
  const { approval: id, run, input, toolUseId } = approval
  const all = [...s.answered, { approval: id, run, requestId, toolUseId, input, answer }]
  s.answered = all.slice(-limits.maxOpenApprovals)
}

/** Drops the answer for a tool that has ended: the agent has it. */
export function forgetAnswered(s: SessionState, toolUseId: string): void {
  if (s.answered.some(each => each.toolUseId === toolUseId))
    s.answered = s.answered.filter(each => each.toolUseId !== toolUseId)
}

const withdrawn = (by: Actor | undefined): Resolution => ({ decision: 'withdrawn', ...(by && { by }), answer: null })

const endedDeny: Pick<Resolution, 'answer'> = {
  answer: { behavior: 'deny', message: 'The run that asked has ended.' },
}
