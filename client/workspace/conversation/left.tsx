import type { Session } from '../../sdk/browser.ts'
import { harmless } from '../../text/harmless.ts'
import { Ago } from '../parts/time.tsx'

/** The processes that Claude Code left running on purpose, such as a dev server, and a button that ends them. */
export function Left({ left, readOnly, isRunning, onEnd }: LeftProps) {
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
          onClick={onEnd}
        >
          {count === 1 ? 'End it' : 'End them'}
        </button>
      )}
    </details>
  )
}

interface LeftProps {
  left: NonNullable<Session['left']>
  readOnly: boolean
  /** A run is active or queued, so the processes cannot be ended. */
  isRunning: boolean
  onEnd(): void
}
