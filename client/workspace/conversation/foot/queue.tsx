import type { Run } from '../../../sdk/browser.ts'
import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { Icon } from '../../parts/icons.tsx'
import { oneLine } from '../../parts/format.ts'
import { limits, nameOf, waiting } from '../model/labels.ts'
import { usePane } from '../pane-context.ts'

/** The queued prompts, the next one first. Shift and an arrow key move a prompt; Delete removes it. */
export function Queue({ runs }: { runs: readonly Run[] }) {
  const { mux, readOnly, report } = usePane()
  const list = useRef<HTMLOListElement>(null)
  const rowAt = (index: number) => list.current?.children[index] as HTMLElement | undefined
  // The run that is being moved. Its row loses the focus on the way and gets it back.
  const moving = useRef<{ run: string; to: number } | undefined>(undefined)
  useLayoutEffect(() => {
    if (moving.current === undefined || runs[moving.current.to]?.run !== moving.current.run) return
    if (document.activeElement === document.body) rowAt(moving.current.to)?.focus()
    moving.current = undefined
  })
  if (!runs.length) return null

  const settle = (work: Promise<unknown>) => void work.catch(report)
  const move = (run: Run, to: number) => {
    if (to < 0 || to >= runs.length) return
    moving.current = { run: run.run, to }
    settle(mux.api.run.move({ run: run.run, to }))
  }
  const takeOut = (run: Run) => settle(mux.attach(run.run).cancel())

  const onKeyDown = (event: KeyboardEvent, index: number) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key]
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (step !== undefined && !event.shiftKey) rowAt(index + step)?.focus()
    else if (step !== undefined && !readOnly) move(runs[index]!, index + step)
    else if (event.key === 'Delete' && !readOnly) {
      const beside = rowAt(index + 1) ?? rowAt(index - 1)
      beside?.focus()
      takeOut(runs[index]!)
    } else return
    event.preventDefault()
  }

  return (
    <ol class="queue" aria-label="Queued prompts" ref={list}>
      {runs.map((run, index) => {
        const prompt = oneLine(run.prompt, 40)
        return (
          <li
            key={run.run}
            tabIndex={0}
            aria-keyshortcuts={readOnly ? undefined : 'Shift+ArrowUp Shift+ArrowDown Delete'}
            onKeyDown={event => onKeyDown(event, index)}
          >
            <span class="place numeric">{index + 1}</span>
            <span class="clip grow" dir="auto">
              {oneLine(run.prompt)}
            </span>
            <span class="dim small clip waits">{[waiting(run), limits(run)].filter(Boolean).join(', ')}</span>
            <span class="dim small clip by">{nameOf(run.origin)}</span>
            {!readOnly && (
              <>
                {index > 0 && (
                  <Act label={`Move “${prompt}” up`} onClick={() => move(run, index - 1)}>
                    <span class="up">
                      <Icon name="chevron" />
                    </span>
                  </Act>
                )}
                {index < runs.length - 1 && (
                  <Act label={`Move “${prompt}” down`} onClick={() => move(run, index + 1)}>
                    <span class="down">
                      <Icon name="chevron" />
                    </span>
                  </Act>
                )}
                <Act label={`Take “${prompt}” out of the queue`} onClick={() => takeOut(run)}>
                  <Icon name="close" />
                </Act>
              </>
            )}
          </li>
        )
      })}
    </ol>
  )
}

function Act({ label, onClick, children }: { label: string; onClick: () => void; children: ComponentChildren }) {
  return (
    <button type="button" class="button plain icon" aria-label={label} onClick={onClick}>
      {children}
    </button>
  )
}
