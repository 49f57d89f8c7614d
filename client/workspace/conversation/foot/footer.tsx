import type { Mux, Run } from '../../../sdk/browser.ts'
import { count, usd } from '../../parts/format.ts'
import type { Facts } from '../model/items.ts'
import { waiting } from '../model/labels.ts'

/** One line about the whole session: its state, the context used and the cost. */
export function Footer({ facts, isRunning, next, costUsd, isModelShown, state }: FooterProps) {
  const { contextTokens, contextWindow, model } = facts
  const share = contextTokens !== undefined && contextWindow ? contextTokens / contextWindow : undefined
  return (
    <div class="pane-footer">
      <span class="dim grow">{state !== 'open' || isRunning ? '' : next ? `Queued, ${waiting(next)}` : 'Idle'}</span>
      {state !== 'open' && <span class="chip warn">{state === 'closed' ? 'not connected' : 'reconnecting'}</span>}
      {isModelShown && model && <span class="dim clip model">{model}</span>}
      {contextTokens !== undefined && contextTokens > 0 && (
        <span
          class="context dim numeric"
          title={`${contextTokens.toLocaleString()} tokens${contextWindow ? ` of ${contextWindow.toLocaleString()}` : ''} in the context`}
        >
          {share !== undefined && (
            <progress class={share > 0.8 ? 'full' : ''} max={1} value={share} aria-label="Context used" />
          )}
          {count(contextTokens)}
          {share === undefined ? ' tokens' : ` · ${Math.round(share * 100)} %`}
        </span>
      )}
      <span class="dim numeric">{usd(costUsd)}</span>
    </div>
  )
}

interface FooterProps {
  facts: Readonly<Facts>
  isRunning: boolean
  /** The run that will be started next. */
  next: Run | undefined
  costUsd: number
  isModelShown: boolean
  state: Mux['state']
}
