import { type ReadonlySignal, signal } from '@preact/signals'
import type { Mux, Run } from '../../../sdk/browser.ts'
import { randomKey } from '../../../sdk/random-key.ts'
import { keepDraft, readDraft } from '../../drafts.ts'
import { type Submission, submit } from '../../submission.ts'

/** A submitted prompt that is not in the conversation yet. */
export interface OutgoingPrompt {
  readonly key: string
  readonly session: string
  readonly prompt: string
  readonly sentAt: number
  readonly submission: Submission
  /** Its run, once the daemon has answered. */
  readonly run: Run | undefined
}

/**
 * The submitted prompts of all sessions. Closing the pane does not stop them. After a reload of the window, prompts
 * that may have arrived are submitted again; the others return to their drafts.
 */
export interface Outgoing {
  readonly prompts: ReadonlySignal<readonly OutgoingPrompt[]>
  /**
   * Resolves when the daemon has accepted the prompt or the user has taken it back; rejects when the daemon refuses it.
   */
  send(session: string, prompt: string): Promise<void>
  takeBack(key: string): void
  /** To call when the conversation shows its run. */
  seen(key: string): void
}

const storageKey = 'muxd.outgoing'

interface Stored {
  key: string
  session: string
  prompt: string
  mayHaveArrived: boolean
}

const known = new WeakMap<Mux, Outgoing>()

export function outgoingOf(mux: Mux): Outgoing {
  const outgoing = known.get(mux) ?? createOutgoing(mux)
  known.set(mux, outgoing)
  return outgoing
}

function createOutgoing(mux: Mux): Outgoing {
  const prompts = signal<readonly OutgoingPrompt[]>([])
  const store = () => {
    const left = prompts.value
      .filter(({ run }) => run === undefined)
      .map(
        ({ key, session, prompt, submission: { mayHaveArrived } }): Stored => ({
          key,
          session,
          prompt,
          mayHaveArrived,
        }),
      )
    try {
      sessionStorage.setItem(storageKey, JSON.stringify(left))
    } catch {
      // Too long for `sessionStorage`: the prompts are sent, but lost on a reload.
    }
  }
  const change = (next: readonly OutgoingPrompt[]) => {
    prompts.value = next
    store()
  }
  const remove = (key: string) => change(prompts.value.filter(each => each.key !== key))
  mux.onState(store)

  async function send(session: string, prompt: string, key: string): Promise<void> {
    const submission = submit(mux, { session, prompt, key })
    change([...prompts.value, { key, session, prompt, sentAt: Date.now(), submission, run: undefined }])
    try {
      const run = await submission.run
      if (run === undefined) remove(key)
      else change(prompts.value.map(each => (each.key === key ? { ...each, run } : each)))
    } catch (error) {
      remove(key)
      throw error
    }
  }

  for (const { key, session, prompt, mayHaveArrived } of restored()) {
    // With the same key, this attempt starts no second run if the first one arrived.
    if (mayHaveArrived) send(session, prompt, key).catch(() => returnToDraft(session, prompt))
    else returnToDraft(session, prompt)
  }
  store()

  return {
    prompts,
    send: (session, prompt) => send(session, prompt, randomKey()),
    takeBack(key) {
      prompts.value.find(each => each.key === key)?.submission.takeBack()
      remove(key)
    },
    seen: remove,
  }
}

const restored = () => JSON.parse(sessionStorage.getItem(storageKey) ?? '[]') as Stored[]

/** Puts an unsent prompt back before the draft. */
export const joinDraft = (prompt: string, draft: string): string => (draft.trim() ? `${prompt}\n\n${draft}` : prompt)

const returnToDraft = (session: string, prompt: string) => keepDraft(session, joinDraft(prompt, readDraft(session)))
