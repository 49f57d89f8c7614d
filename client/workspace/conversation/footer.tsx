import type { Mux, Run } from '../../browser.ts'
import { count, duration, usd } from '../parts/format.ts'
import { useNow } from '../parts/time.tsx'
import type { Facts } from './model/items.ts'
import type { Cancelling } from './prompt/cancelling.ts'

/** What holds for the session as a whole, in one line: what goes on, how full the context is, what it has cost. */
export function Footer({ facts, running, costUsd, cancelling, readOnly, isModelShown, state, onCancel }: FooterProps) {
  const { contextTokens, contextWindow, model } = facts
  const share = contextTokens !== undefined && contextWindow ? contextTokens / contextWindow : undefined
  return (
    <div class="pane-footer">
      {running ? (
        <Going run={running} facts={facts} cancelling={cancelling} readOnly={readOnly} onCancel={onCancel} />
      ) : (
        <span class="dim grow">{state === 'open' ? 'Idle' : ''}</span>
      )}
      {state !== 'open' && <span class="chip warn">{state === 'closed' ? 'not connected' : 'reconnecting'}</span>}
      {isModelShown && model && <span class="dim clip model">{model}</span>}
      {contextTokens !== undefined && (
        <span
          class="context dim numeric"
          title={`${contextTokens.toLocaleString()} tokens${contextWindow ? ` of ${contextWindow.toLocaleString()}` : ''} in the context`}
        >
          {share !== undefined && (
            <progress class={share > 0.8 ? 'full' : ''} max={1} value={share} aria-label="Context used" />
          )}
          {count(contextTokens)}
          {share !== undefined && ` · ${Math.round(share * 100)} %`}
        </span>
      )}
      <span class="dim numeric">{usd(costUsd)}</span>
    </div>
  )
}

function Going({ run, facts, cancelling, readOnly, onCancel }: GoingProps) {
  const ms = useNow() - (run.startedAt ?? Date.now())
  const asked = cancelling?.run === run.run ? cancelling.mode : undefined
  const by = facts.run?.run === run.run ? facts.run.cancelledBy : undefined
  const isEnding = run.state === 'cancelling' || asked !== undefined
  return (
    <span class="going grow">
      <span class={`dot ${isEnding ? 'failed' : 'running'}`} aria-hidden="true" />
      <span class="clip">
        {isEnding
          ? `${endings[asked ?? 'interrupt']}${by ? `, asked by ${by.name}` : ''}`
          : facts.status === 'compacting'
            ? 'Compacting'
            : 'Running'}
        <span class="dim numeric"> {duration(ms)}</span>
      </span>
      {!readOnly && (
        <>
          <button
            type="button"
            class="button plain danger"
            disabled={asked === 'kill'}
            onClick={event => onCancel(event.shiftKey)}
          >
            {asked === undefined ? 'Cancel' : asked === 'interrupt' ? 'End the process' : 'Kill'}
          </button>
          <span class="dim small hint" aria-live="polite">
            {hints[asked ?? 'none']}
          </span>
        </>
      )}
    </span>
  )
}

const endings = { interrupt: 'Interrupting', terminate: 'Ending the process', kill: 'Killing the process' }
const hints = {
  none: 'Esc',
  interrupt: 'Esc again ends its process, Shift+Esc kills it',
  terminate: 'Shift+Esc kills it',
  kill: '',
}

interface GoingProps {
  run: Run
  facts: Readonly<Facts>
  cancelling: Cancelling | undefined
  readOnly: boolean
  /** `hard`: whatever it takes. */
  onCancel: (hard: boolean) => void
}

type FooterProps = Omit<GoingProps, 'run'> & {
  running: Run | undefined
  costUsd: number
  isModelShown: boolean
  state: Mux['state']
}
