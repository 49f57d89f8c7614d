import type { Session } from '../../../sdk/browser.ts'
import { harmless } from '../../../text/harmless.ts'
import { Ago } from '../../parts/time.tsx'
import { usePane } from '../pane-context.ts'

/** The processes that Claude Code left running on purpose, such as a dev server, and a button that ends them. */
export function Left({ left, readOnly, isRunning }: LeftProps) {
  const { mux, session, report } = usePane()
  const { processes, more } = left
  const count = processes.length + more
  return (
    <details class="left small">
      <summary>
        {count === 1 ? '1 process goes on' : `${more > 0 ? 'Up to ' : ''}${count} processes go on`} without Claude Code
      </summary>
      <ul aria-label="Processes that go on without Claude Code">
        {processes.map(({ pid, startedAt, command }) => (
          <li key={pid}>
            <code class="clip" title={harmless(command)}>
              {harmless(command) || 'unknown command'}
            </code>
            <span class="dim numeric">
              pid {pid}, <Ago at={startedAt} />
            </span>
          </li>
        ))}
      </ul>
      {!readOnly && (
        <button
          type="button"
          class="button danger"
          disabled={isRunning}
          title={isRunning ? 'Possible once the run has ended' : undefined}
          onClick={() => void mux.api.session.close({ session, sweep: true }).catch(report)}
        >
          {count === 1 ? 'End it' : 'End them'}
        </button>
      )}
    </details>
  )
}

interface LeftProps {
  left: NonNullable<Session['left']>
  /** Unlike the pane, false for an unusable session: its processes can be ended. */
  readOnly: boolean
  /** A run is active or queued, so the processes cannot be ended. */
  isRunning: boolean
}
