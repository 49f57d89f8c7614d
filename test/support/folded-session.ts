import { claude } from '../../daemon/agents/claude/agent.ts'
import type { Launch, OutputLine } from '../../daemon/agents/agent.ts'
import type { Act, StoredAct } from '../../daemon/sessions/machine/fold/act.ts'
import { applyAct } from '../../daemon/sessions/machine/fold/apply.ts'
import type { LiveRun } from '../../daemon/sessions/machine/fold/live-run.ts'
import { applyLine } from '../../daemon/sessions/machine/fold/output.ts'
import { noFacts, sinkOf } from '../../daemon/sessions/machine/fold/sink.ts'
import { restState, type SessionState } from '../../daemon/sessions/machine/fold/state.ts'
import type { EventRow } from '../../daemon/store/store.ts'
import { session } from './records.ts'

/** A session without a daemon. It applies the acts and lines of the test, and decides nothing itself. */
export interface FoldedSession {
  readonly state: SessionState
  readonly acts: readonly StoredAct[]
  act(act: Act, time?: number): void
  line(line: OutputLine): void
  /** Queues a run and starts it. */
  prompt(text: string): LiveRun
  /** All events so far, as they are stored. */
  rows(): EventRow[]
  texts(): string[]
}

const by = { client: 'c_1', name: 'test' }
const newConversation: Launch = { claudeSessionId: null, costUsd: 0, counterUsd: 0, resumed: false }

/** Returns the session `s_1`, whose process `p_1` has begun. */
export function foldedSession(launch = newConversation): FoldedSession {
  const folded = continueFolded(restState(session('s_1')))
  folded.act({ act: 'process_begun', process: 'p_1', nonce: 'nonce', run: 'r_1', launch, oneShot: false })
  return folded
}

/** Returns a session that continues from `state`. */
export function continueFolded(state: SessionState): FoldedSession {
  const facts = noFacts()
  const sink = sinkOf(state, facts)
  const acts: StoredAct[] = []
  let prompts = 0

  function act(what: Act, time = 1) {
    const at = state.process && { process: state.process.id, offset: state.process.offset }
    const stored: StoredAct = { ...what, n: state.acts + 1, time, at }
    acts.push(stored)
    applyAct(claude, state, stored, sink)
  }
  const rows = () =>
    facts.events.map(({ seq, time, run, body, source }) => ({
      seq,
      run,
      type: body.type,
      text: JSON.stringify({ seq, time, run, ...body }),
      process: source?.process ?? null,
      offset: source?.offset ?? null,
    }))

  return {
    state,
    acts,
    act,
    line: line => applyLine(claude, state, line, sink),
    prompt(text) {
      prompts += 1
      const run = `r_${prompts}`
      act({ act: 'queued', run, promptUuid: uuidOf(prompts), prompt: text, by })
      act({ act: 'started', run })
      return state.active!
    },
    rows,
    texts: () => rows().map(({ text }) => text),
  }
}

const uuidOf = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
