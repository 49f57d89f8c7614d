import type { Mux, Run } from '../../../browser.ts'
import { Icon } from '../../parts/icons.tsx'
import { oneLine } from '../../parts/format.ts'
import { nameOf } from '../model/wording.ts'

/** Prompts that wait for the one that runs, the next one first. */
export function Queue({ mux, runs, readOnly, onProblem }: QueueProps) {
  if (!runs.length) return null
  const settle = (work: Promise<unknown>) => void work.catch(onProblem)
  return (
    <ol class="queue" aria-label="Queued prompts">
      {runs.map((run, index) => (
        <li key={run.run}>
          <span class="place numeric">{index + 1}</span>
          <span class="clip grow">{oneLine(run.prompt)}</span>
          <span class="dim small clip">{nameOf(run.origin)}</span>
          {!readOnly && index > 0 && (
            <button
              type="button"
              class="button plain icon"
              aria-label={`Move “${oneLine(run.prompt, 40)}” up`}
              onClick={() => settle(mux.api.run.move({ run: run.run, to: index - 1 }))}
            >
              <span class="up">
                <Icon name="chevron" />
              </span>
            </button>
          )}
          {!readOnly && (
            <button
              type="button"
              class="button plain icon"
              aria-label={`Take “${oneLine(run.prompt, 40)}” out of the queue`}
              onClick={() => settle(mux.attach(run.run).cancel())}
            >
              <Icon name="close" />
            </button>
          )}
        </li>
      ))}
    </ol>
  )
}

interface QueueProps {
  mux: Mux
  runs: readonly Run[]
  readOnly: boolean
  onProblem: (error: Error) => void
}
