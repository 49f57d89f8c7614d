import { turnEnd } from '../../../text/turn-end.ts'
import { count, duration, usd } from '../../parts/format.ts'
import { type Advice, adviceFor, remedyNames } from '../model/advice.ts'
import type { EndItem } from '../model/items.ts'
import { ended } from '../model/labels.ts'
import { useOpen, usePane } from '../pane-context.ts'

/** The outcome of a run, with its duration, cost and tokens. */
export function End({ item }: { item: EndItem; version: number }) {
  const { event, isExplained, startedAt, costUsd, tokens } = item
  const [open, toggle] = useOpen(item.key, false)
  const failure = event.type === 'failed' ? event.failure : undefined
  const facts = [
    startedAt === undefined ? undefined : duration(event.time - startedAt),
    costUsd ? usd(costUsd) : undefined,
    tokens?.output &&
      `${count(tokens.input + tokens.cacheRead + tokens.cacheCreation)} in, ${count(tokens.output)} out`,
    event.type === 'done' && event.forcedExit ? 'its process had to be ended' : undefined,
    event.type === 'cancelled' && event.ended ? endings[event.ended] : undefined,
    failure?.resetsAt && `possible again ${new Date(failure.resetsAt).toLocaleString()}`,
  ]
  return (
    <article
      class="end"
      data-end={event.type}
      data-stopped={event.type === 'done' && turnEnd(event.terminalReason) !== undefined ? '' : undefined}
    >
      <header>
        <span class="label" dir="auto">
          {ended(event)}
        </span>
        <span class="dim numeric">{facts.filter(Boolean).join(' · ')}</span>
      </header>
      {failure && !isExplained && failure.detail !== failure.title && (
        <p class="detail" dir="auto">
          {failure.detail}
        </p>
      )}
      {failure && <Remedy item={item} advice={adviceFor(failure)} />}
      {failure?.stderrTail && (
        <>
          <button type="button" class="more" aria-expanded={open} onClick={toggle}>
            {open ? 'Hide what it wrote to stderr' : 'What it wrote to stderr'}
          </button>
          {open && (
            <pre class="output unfolded" dir="auto">
              {failure.stderrTail}
            </pre>
          )}
        </>
      )}
    </article>
  )
}

/**
 * The advice for a failure. The newest run also has a button that applies it while nothing else is running or queued.
 */
function Remedy({ item, advice: { text, remedy } }: { item: EndItem; advice: Advice }) {
  const { remediable, remedy: apply } = usePane()
  return (
    <p class="remedy">
      <span>{text}</span>
      {remediable === item.key && (
        <button type="button" class="button" onClick={() => apply(item, remedy)}>
          {remedyNames[remedy]}
        </button>
      )}
    </p>
  )
}

const endings = { nothing: 'before it had begun', turn: '', process: 'with its process' }
