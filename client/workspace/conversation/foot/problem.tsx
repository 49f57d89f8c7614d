import { useState } from 'preact/hooks'
import { messageOf } from '../../parts/format.ts'

/** The latest problem of a pane, until the user dismisses it. */
export interface PaneProblem {
  text: string | undefined
  report(error: unknown): void
  dismiss(): void
}

export function useProblem(): PaneProblem {
  const [text, setText] = useState<string>()
  return { text, report: error => setText(messageOf(error)), dismiss: () => setText(undefined) }
}

export function Problem({ problem: { text, dismiss } }: { problem: PaneProblem }) {
  if (text === undefined) return null
  return (
    <p class="problem" role="alert">
      {text}{' '}
      <button type="button" class="link" onClick={dismiss}>
        Dismiss
      </button>
    </p>
  )
}
