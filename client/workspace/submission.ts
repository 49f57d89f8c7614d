import { type ReadonlySignal, signal } from '@preact/signals'
import type { ClientApi, Mux, Run } from '../sdk/browser.ts'

/** `waiting`: there is no connection; the prompt goes out with the next one. `sending`: the daemon has not answered yet. */
export type SubmissionState = 'waiting' | 'sending' | 'sent' | 'failed'

/** A prompt on its way to the daemon. */
export interface Submission {
  readonly state: ReadonlySignal<SubmissionState>
  /** It may have reached the daemon, whose answer is not here. */
  readonly mayHaveArrived: boolean
  /** The run that it became; undefined when it was taken back. Rejects with why there is none. */
  readonly run: Promise<Run | undefined>
  /** The prompt is not run: it is not sent, or its run is cancelled once the daemon has answered. */
  takeBack(): void
}

/** `key` makes it one run, however often it is sent. */
export type SubmissionParams = Parameters<ClientApi['run']['start']>[0] & { key: string }

export function submit(mux: Mux, params: SubmissionParams): Submission {
  const stop = new AbortController()
  const stateNow = (): SubmissionState => (mux.state === 'open' ? 'sending' : 'waiting')
  const state = signal<SubmissionState>(stateNow())
  let mayHaveArrived = mux.state === 'open'
  let isTakenBack = false
  const detach = mux.onState(() => {
    mayHaveArrived ||= mux.state === 'open'
    state.value = stateNow()
  })

  const send = async (): Promise<Run | undefined> => {
    try {
      const run = await mux.api.run.start(params, { signal: stop.signal })
      detach()
      state.value = 'sent'
      if (!isTakenBack) return run
      await mux.api.run.cancel({ run: run.run, reason: 'the prompt was taken back' })
      return undefined
    } catch (error) {
      detach()
      state.value = 'failed'
      if (isTakenBack) return undefined
      throw error
    }
  }

  return {
    state,
    get mayHaveArrived() {
      return mayHaveArrived
    },
    run: send(),
    takeBack() {
      isTakenBack = true
      if (!mayHaveArrived) stop.abort()
    },
  }
}
