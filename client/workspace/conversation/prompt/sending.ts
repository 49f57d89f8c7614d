import { useEffect, useState } from 'preact/hooks'
import type { Mux } from '../../../sdk/browser.ts'
import { keepDraft, readDraft } from '../../drafts.ts'
import { joinDraft, type OutgoingPrompt, outgoingOf } from './outgoing.ts'
import type { PromptField } from './prompt-box.tsx'

/** The sending of prompts from the prompt box of a session. */
export interface Sending {
  /** The prompts that are not in the conversation yet. */
  outgoing: readonly OutgoingPrompt[]
  /** A refused prompt returns to the prompt box. */
  send(prompt: string): void
  /** Returns an outgoing prompt to the prompt box. */
  takeBack(prompt: OutgoingPrompt): void
}

interface SendingParams {
  mux: Mux
  session: string
  /** The newest event of the conversation. */
  lastSeq: number
  box: { current: PromptField | null }
  onSent(): void
  onProblem(error: unknown): void
}

export function useSending({ mux, session, lastSeq, box, onSent, onProblem }: SendingParams): Sending {
  const all = outgoingOf(mux)
  const [, draw] = useState(0)
  useEffect(() => all.prompts.subscribe(() => draw(count => count + 1)), [all])
  const mine = all.prompts.value.filter(each => each.session === session)
  const seen = mine.filter(({ run }) => run && run.firstSeq <= lastSeq)
  useEffect(() => {
    for (const { key } of seen) all.seen(key)
  })
  return {
    outgoing: mine.filter(each => !seen.includes(each)),
    send: prompt =>
      void all.send(session, prompt).then(onSent, (error: unknown) => {
        onProblem(error)
        // The pane may be closed, or may show no box.
        if (box.current) box.current.restore(prompt)
        else keepDraft(session, joinDraft(prompt, readDraft(session)))
      }),
    takeBack({ key, prompt }) {
      all.takeBack(key)
      box.current?.restore(prompt)
    },
  }
}
