import { type ReadonlySignal, signal } from '@preact/signals'
import type { ClientApi, Mux, Run } from '../sdk/browser.ts'

/**
 * `waiting`: there is no connection, and the prompt is sent with the next one. `sending`: the daemon has not answered
 * yet.
 */
export type SubmissionState = 'waiting' | 'sending' | 'sent' | 'failed'

/** A prompt on its way to the daemon. */
export interface Submission {
  readonly state: ReadonlySignal<SubmissionState>
  /** The prompt may have reached the daemon, which has not answered yet. */
  readonly mayHaveArrived: boolean
  /** The run of the prompt; undefined if it was taken back. Rejects if the daemon refuses it. */
  readonly run: Promise<Run | undefined>
  /** Withdraws the prompt: it is not sent, or its run is cancelled once the daemon has answered. */
  takeBack(): void
}

/** With `key`, sending the prompt several times starts one run. */
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
