import { createHash } from 'node:crypto'
import type { Actor, Approval } from '../../protocol/index.ts'
import type { Question } from '../agents/agent.ts'
import type { StoredApproval } from '../store/store.ts'
import type { Resolution } from './machine/resolution.ts'
import type { Recorder, Source } from './recorder.ts'

/**
 * The questions of Claude Code that await an answer, as the log has them: the writing half of approvals. Asking and
 * taking back are printed, and so derived from the output; everything else is done by a client or by muxd, and is read
 * from the log when a session is gone through again. `approvals.ts` is the half that acts.
 */
export interface Questions {
  /** In the order in which they were asked. Parallel sub-agents have several at once. */
  readonly open: readonly StoredApproval[]
  /** Claude Code asks; again, also in its answer to `initialize`, the same question is the same approval. */
  asked(question: Question, about: About, time: number, source: Source): void
  /** Claude Code awaits no answer any more. `by` is who made it so. */
  takenBack(requestId: string, by: (approval: Approval) => Actor | undefined, time: number, source: Source): void
  /** Somebody or something has decided. */
  resolve(question: StoredApproval, resolution: Resolution, time: number): StoredApproval
  /** An answer would come too late for those of a run; without one, for all. */
  withdraw(run: string | undefined, by: Actor | undefined, time: number, source?: Source): void
  /** The log says that it was resolved. */
  closed(approval: string): void
  /** Those that are open are the stored ones, whatever became of the raw log. */
  believe(stored: readonly StoredApproval[]): void
  /** Another process begins to print. */
  forget(): void
  /** All that is remembered here. */
  state: QuestionsState
}

export interface QuestionsState {
  open: readonly StoredApproval[]
  /** Request ids, also of those that were answered. */
  known: Set<string>
}

/** Where a question belongs: what is not in it. */
export interface About {
  session: string
  run: string | null
  expiresAfterMs: number | undefined
}

export function createQuestions(recorder: Recorder): Questions {
  let open: readonly StoredApproval[] = []
  let known = new Set<string>()

  function resolve(question: StoredApproval, resolution: Resolution, time: number, source?: Source): StoredApproval {
    const { decision, by, message, answer } = resolution
    const { approval: before } = question
    const { approval: id, parent } = before
    open = open.filter(other => other !== question)
    const decided = { decision, ...(by && { by }), ...(message !== undefined && { message }) }
    const approval: Approval = { ...before, state: 'resolved', ...decided, resolvedAt: time }
    const allowed = answer?.behavior === 'allow' ? answer : undefined
    recorder.event(
      {
        type: 'approval_resolved',
        ...(parent !== undefined && { parent }),
        approval: id,
        ...decided,
        ...(allowed?.input !== undefined && { input: allowed.input }),
        ...(allowed?.permissions && { remembered: allowed.permissions }),
      },
      before.run,
      time,
      source,
    )
    const resolved = { ...question, approval, answer: answer && JSON.stringify(answer) }
    recorder.approval(resolved)
    return resolved
  }

  return {
    get open() {
      return open
    },

    asked(told, { session, run, expiresAfterMs }, time, source) {
      const { requestId, kind, tool, input, toolUseId, description, suggestions, parent, ...more } = told
      const { inBackground: _, ...reason } = more
      if (known.has(requestId)) return
      known.add(requestId)
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
      const expiresAt = expiresAfterMs === undefined ? null : time + expiresAfterMs
      const expiry = expiresAt === null ? {} : { expiresAt }
      recorder.event({ type: 'approval_requested', ...lane, ...asked, ...expiry }, run, time, source)
      const approval: Approval = { session, run, ...lane, ...asked, state: 'pending', requestedAt: time, expiresAt }
      const question: StoredApproval = { approval, process: source.process, requestId, answer: null }
      open = [...open, question]
      recorder.approval(question)
    },

    takenBack(requestId, by, time, source) {
      const question = open.find(each => each.requestId === requestId)
      if (question) resolve(question, withdrawn(by(question.approval)), time, source)
    },

    resolve,

    withdraw(run, by, time, source) {
      for (const question of open) {
        if (run === undefined || question.approval.run === run) resolve(question, withdrawn(by), time, source)
      }
    },

    closed(id) {
      open = open.filter(({ approval }) => approval.approval !== id)
    },

    believe(stored) {
      open = stored.filter(({ approval }) => approval.state === 'pending')
      for (const { requestId } of stored) known.add(requestId)
    },

    forget() {
      open = []
      known = new Set()
    },

    get state() {
      return { open, known }
    },
    set state(state) {
      ;({ open, known } = state)
    },
  }
}

const withdrawn = (by: Actor | undefined): Resolution => ({ decision: 'withdrawn', ...(by && { by }), answer: null })

/** The same whenever the output is read. A line may hold several questions. */
function approvalId({ process, offset }: Source, requestId: string): string {
  return `a_${createHash('sha256').update(`${process} ${offset} ${requestId}`).digest('base64url').slice(0, 21)}`
}
