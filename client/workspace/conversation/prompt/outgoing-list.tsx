import { useEffect, useState } from 'preact/hooks'
import type { Mux } from '../../../sdk/browser.ts'
import { oneLine } from '../../parts/format.ts'
import { type Outgoing, type OutgoingPrompt, outgoingOf } from './outgoing.ts'

/** Delay before a prompt is shown here. Mostly the answer is faster, and the prompt is already in the conversation. */
const quietMs = 400

const words = { waiting: 'waiting to be sent', sending: 'sending…', sent: 'sent', failed: 'not sent' }

/** Returns the prompts of a session that are not in its conversation yet. */
export function useOutgoing(mux: Mux, session: string, lastSeq: number): [Outgoing, readonly OutgoingPrompt[]] {
  const outgoing = outgoingOf(mux)
  const [, draw] = useState(0)
  const mine = outgoing.prompts.value.filter(each => each.session === session)
  const seen = mine.filter(({ run }) => run && run.firstSeq <= lastSeq)
  useEffect(() => outgoing.prompts.subscribe(() => draw(count => count + 1)), [outgoing])
  useEffect(() => {
    for (const { key } of seen) outgoing.seen(key)
  })
  useEffect(() => {
    if (mine.length === 0) return
    const redraw = () => draw(count => count + 1)
    const stops = mine.map(({ submission }) => submission.state.subscribe(redraw))
    const timer = setTimeout(redraw, quietMs)
    return () => {
      clearTimeout(timer)
      for (const stop of stops) stop()
    }
  }, [mine.map(({ key }) => key).join()])
  return [outgoing, mine.filter(each => !seen.includes(each))]
}

export function OutgoingList({ prompts, onTakeBack }: OutgoingListProps) {
  const shown = prompts.filter(
    ({ submission, sentAt }) => submission.state.value === 'waiting' || Date.now() - sentAt >= quietMs,
  )
  if (shown.length === 0) return null
  return (
    <ul class="queue outgoing" aria-label="Prompts being sent">
      {shown.map(each => (
        <li key={each.key}>
          <span class={`dot ${each.submission.state.value === 'waiting' ? 'waiting' : 'running'}`} aria-hidden="true" />
          <span class="clip grow" dir="auto">
            {oneLine(each.prompt)}
          </span>
          <span class="dim small" role="status">
            {words[each.submission.state.value]}
          </span>
          {each.run === undefined && (
            <button type="button" class="button plain" onClick={() => onTakeBack(each)}>
              Take back
            </button>
          )}
        </li>
      ))}
    </ul>
  )
}

interface OutgoingListProps {
  prompts: readonly OutgoingPrompt[]
  onTakeBack: (prompt: OutgoingPrompt) => void
}
