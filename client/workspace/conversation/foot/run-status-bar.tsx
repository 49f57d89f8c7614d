import type { Run } from '../../../sdk/browser.ts'
import { duration, shortPath } from '../../parts/format.ts'
import { useNow } from '../../parts/time.tsx'
import type { Transcript } from '../model/transcript.ts'
import { toolAbout } from '../model/tool-output.ts'
import { toolName } from '../model/tool-view.ts'
import { limits } from '../model/labels.ts'
import { usePane } from '../pane-context.ts'
import type { Cancels } from '../prompt/cancelling.ts'

/** The current run of the session, with its cancel button: the line above the queue and the prompt. */
export function RunStatusBar({ run, transcript, cancels }: RunStatusBarProps) {
  const { readOnly } = usePane()
  const { facts, current } = transcript
  const { cancelling, cancel } = cancels
  const now = useNow()
  const asked = cancelling?.run === run.run ? cancelling.mode : undefined
  const isWarned = cancelling?.warnedOf === run.run
  const by = facts.run?.run === run.run ? facts.run.cancelledBy : undefined
  const isEnding = run.state === 'cancelling' || asked !== undefined
  const isAsking = current?.state === 'waiting'
  const silentMs = isAsking ? 0 : now - (facts.heardAt ?? now)
  const details = [
    duration(now - (run.startedAt ?? now)),
    silentMs >= silentAfterMs && `quiet for ${duration(silentMs)}`,
    current && `${toolName(current.tool).name} ${shortPath(toolAbout(current.tool, current.input), 70)}`,
    limits(run),
  ]
    .filter(Boolean)
    .join(' · ')
  return (
    <div class="run-status-bar">
      <span class={`dot ${isEnding ? 'failed' : isAsking ? 'waiting' : 'running'}`} aria-hidden="true" />
      <span class="clip grow" title={details}>
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
            onClick={event => cancel(event.shiftKey)}
          >
            {asked === undefined ? 'Cancel' : asked === 'interrupt' ? 'End the process' : 'Kill'}
          </button>
          <span class={`small hint ${isWarned ? 'warned' : 'dim'}`} aria-live="polite">
            {isWarned ? 'The prompt before has ended. Esc again cancels this one' : hints[asked ?? 'none']}
          </span>
        </>
      )}
    </div>
  )
}

/** Silence longer than this is shown. It is no fault: Claude may be thinking, or a tool may be working. */
const silentAfterMs = 10_000

const endings = { interrupt: 'Interrupting', terminate: 'Ending the process', kill: 'Killing the process' }
const hints = {
  none: 'Esc',
  interrupt: 'Esc again ends its process, Shift+Esc kills it',
  terminate: 'Shift+Esc kills it',
  kill: '',
}

interface RunStatusBarProps {
  run: Run
  transcript: Transcript
  cancels: Cancels
}
