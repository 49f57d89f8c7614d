import type { Mux, Run } from '../../browser.ts'
import { count, duration, oneLine, usd } from '../parts/format.ts'
import { useNow } from '../parts/time.tsx'
import type { Facts, ToolItem } from './model/items.ts'
import { toolAbout } from './model/tool-text.ts'
import { limits, waiting } from './model/wording.ts'
import type { Cancelling } from './prompt/cancelling.ts'

/** What holds for the session as a whole, in one line: what goes on, how full the context is, what it has cost. */
export function Footer({ running, next, costUsd, isModelShown, state, ...going }: FooterProps) {
  const { facts } = going
  const { contextTokens, contextWindow, model } = facts
  const share = contextTokens !== undefined && contextWindow ? contextTokens / contextWindow : undefined
  return (
    <div class="pane-footer">
      {running ? (
        <Going run={running} {...going} />
      ) : (
        <span class="dim grow">{state !== 'open' ? '' : next ? `Queued, ${waiting(next)}` : 'Idle'}</span>
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

function Going({ run, facts, current, cancelling, readOnly, onCancel }: GoingProps) {
  const now = useNow()
  const asked = cancelling?.run === run.run ? cancelling.mode : undefined
  const by = facts.run?.run === run.run ? facts.run.cancelledBy : undefined
  const isEnding = run.state === 'cancelling' || asked !== undefined
  const isAsking = current?.state === 'waiting'
  const silentMs = isAsking ? 0 : now - (facts.heardAt ?? now)
  const details = [
    duration(now - (run.startedAt ?? now)),
    silentMs >= silentAfterMs && `quiet for ${duration(silentMs)}`,
    current && oneLine(`${current.tool} ${toolAbout(current.tool, current.input)}`, 80),
    limits(run),
  ]
    .filter(Boolean)
    .join(' · ')
  return (
    <span class="going grow">
      <span class={`dot ${isEnding ? 'failed' : isAsking ? 'waiting' : 'running'}`} aria-hidden="true" />
      <span class="clip" title={details}>
        {isEnding
          ? `${endings[asked ?? 'interrupt']}${by ? `, asked by ${by.name}` : ''}`
          : isAsking
            ? 'Waits for an answer'
            : facts.status === 'compacting'
              ? 'Compacting'
              : 'Running'}
        <span class="dim numeric"> {details}</span>
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

/** Silence that is worth a word. It means nothing: Claude may think, and a tool may work. */
const silentAfterMs = 10_000

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
  /** The tool that goes on, or asks. */
  current: ToolItem | undefined
  cancelling: Cancelling | undefined
  readOnly: boolean
  /** `hard`: whatever it takes. */
  onCancel: (hard: boolean) => void
}

type FooterProps = Omit<GoingProps, 'run'> & {
  running: Run | undefined
  /** The run that will be started next. */
  next: Run | undefined
  costUsd: number
  isModelShown: boolean
  state: Mux['state']
}
