import { useEffect, useState } from 'preact/hooks'
import { oneLine } from '../../parts/format.ts'
import type { OutgoingPrompt } from './outgoing.ts'
import type { Sending } from './sending.ts'

/** Delay before a prompt is shown here. Mostly the answer is faster, and the prompt is already in the conversation. */
const quietMs = 400

const words = { waiting: 'waiting to be sent', sending: 'sending…', sent: 'sent', failed: 'not sent' }

/** The prompts of a session that are not in its conversation yet. */
export function OutgoingList({ sending: { outgoing, takeBack } }: { sending: Sending }) {
  useRedraw(outgoing)
  const shown = outgoing.filter(
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
            <button type="button" class="button plain" onClick={() => takeBack(each)}>
              Take back
            </button>
          )}
        </li>
      ))}
    </ul>
  )
}

/** Renders again when the state of a submission changes, and when the delay is over. */
function useRedraw(prompts: readonly OutgoingPrompt[]): void {
  const [, draw] = useState(0)
  useEffect(() => {
    if (prompts.length === 0) return
    const redraw = () => draw(count => count + 1)
    const stops = prompts.map(({ submission }) => submission.state.subscribe(redraw))
    const timer = setTimeout(redraw, quietMs)
    return () => {
      clearTimeout(timer)
      for (const stop of stops) stop()
    }
  }, [prompts.map(({ key }) => key).join()])
}
