import { useSignal } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import type { Session } from '../../sdk/browser.ts'
import { harmless } from '../../text/harmless.ts'
import { useWorkspace } from '../context/workspace.ts'
import { usd } from '../parts/format.ts'
import { Icon } from '../parts/icons.tsx'
import { Path } from '../parts/path.tsx'
import { Ago } from '../parts/time.tsx'
import { VirtualList } from '../parts/virtual-list.tsx'
import { blockId, conversationOf } from '../layout/block.ts'
import { filterSessions, type StateFilter } from './filter-sessions.ts'
import { sessionLook } from './session-look.ts'
import { projectName, sessionName } from '../../text/session-name.ts'
import { Welcome } from './welcome.tsx'

const states: [StateFilter, string][] = [
  ['all', 'All'],
  ['waiting', 'Waiting'],
  ['running', 'Running'],
  ['idle', 'Idle'],
  ['closed', 'Closed'],
]

/** Lists all sessions with their state, cost and pending approvals. */
export function SessionsBlock() {
  const { records, paneManager, overlay, readOnly } = useWorkspace()
  const text = useSignal('')
  const state = useSignal<StateFilter>('all')
  const cursor = useSignal<string | undefined>(undefined)

  const sessions = records.sessions.value
  const approvals = records.approvals.value
  const waiting = useMemo(() => new Set(approvals.map(({ session }) => session)), [approvals])
  const shown = useMemo(
    () =>
      filterSessions(
        sessions.values(),
        { text: text.value, state: state.value },
        session => waiting.has(session.session) || session.state === 'waiting',
      ),
    [sessions, text.value, state.value, waiting],
  )
  const at = shown.findIndex(({ session }) => session === cursor.value)

  if (records.loaded.value && sessions.size === 0) return <Welcome />

  const openAt = (session: Session | undefined) => session && paneManager.show(conversationOf(session.session))
  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -1e9, End: 1e9 }
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const step = steps[event.key]
    if (step !== undefined) {
      event.preventDefault()
      const next = Math.max(0, Math.min(shown.length - 1, (at < 0 && step > 0 ? -1 : at) + step))
      cursor.value = shown[next]?.session
    } else if (event.key === 'Enter') {
      event.preventDefault()
      openAt(shown[Math.max(at, 0)])
    }
  }

  return (
    <div role="group" class="block sessions" aria-label="Sessions" tabIndex={-1}>
      <header class="block-bar">
        <label class="filter">
          <Icon name="search" />
          <span class="unseen">Filter sessions by text or label=value</span>
          <input
            class="field"
            type="search"
            dir="auto"
            placeholder="Filter, or label=value"
            data-autofocus
            value={text.value}
            onInput={event => (text.value = event.currentTarget.value)}
            onKeyDown={onKeyDown}
          />
        </label>
        {!readOnly && (
          <button type="button" class="button" onClick={() => (overlay.value = { kind: 'new-session' })}>
            <Icon name="add" />
            New
          </button>
        )}
      </header>
      <div class="choices" role="group" aria-label="State">
        {states.map(([name, label]) => (
          <button
            key={name}
            type="button"
            class="choice"
            aria-pressed={state.value === name}
            onClick={() => (state.value = name)}
          >
            {label}
            {name === 'waiting' && waiting.size > 0 && <span class="count">{waiting.size}</span>}
          </button>
        ))}
      </div>
      {shown.length ? (
        <VirtualList
          class="rows"
          role="listbox"
          aria-label="Sessions, latest used first"
          tabIndex={0}
          aria-activedescendant={at < 0 ? undefined : `row-${cursor.value}`}
          onKeyDown={onKeyDown}
          items={shown}
          rowHeight={54}
          cursor={at < 0 ? undefined : at}
          keyOf={session => session.session}
          renderRow={session => (
            <SessionRow
              session={session}
              isCursor={session.session === cursor.value}
              isOpen={paneManager.open.value.includes(blockId(conversationOf(session.session)))}
              onOpen={() => {
                cursor.value = session.session
                openAt(session)
              }}
            />
          )}
        />
      ) : (
        <p class="empty">{records.loaded.value ? 'No session is like that.' : 'Reading the sessions…'}</p>
      )}
      <p class="block-foot small dim" aria-live="polite">
        {shown.length === sessions.size
          ? plural(sessions.size, 'session')
          : `${shown.length} of ${sessions.size} sessions`}
      </p>
    </div>
  )
}

function SessionRow({
  session,
  isCursor,
  isOpen,
  onOpen,
}: {
  session: Session
  isCursor: boolean
  isOpen: boolean
  onOpen(): void
}) {
  const { records } = useWorkspace()
  const id = session.session
  const active = records.active.value.get(id) ?? []
  const asked = records.approvals.value.filter(approval => approval.session === id).length
  const { dot, words } = sessionLook(session, { active, ended: records.ended.value.get(id), asked })
  const queued = active.filter(run => run.state === 'queued').length
  const labels = Object.entries(session.labels)
  return (
    <div
      id={`row-${id}`}
      class={`row ${isOpen ? 'open' : ''}`}
      role="option"
      aria-selected={isCursor}
      onClick={onOpen}
      onKeyDown={undefined}
    >
      <span class={`dot ${dot}`} aria-hidden="true" />
      <div class="row-main">
        <div class="row-line">
          <strong class="clip" dir="auto">
            {sessionName(session)}
          </strong>
          {session.unusable && <span class="chip bad">unusable</span>}
          {asked > 0 && <span class="chip warn">{asked === 1 ? 'asks' : `asks ${asked}`}</span>}
          {queued > 0 && <span class="chip">{queued} queued</span>}
          {labels.slice(0, 2).map(([name, value]) => (
            <span key={name} class="chip">
              {value ? `${name}=${value}` : name}
            </span>
          ))}
        </div>
        <div class="row-line small dim">
          <span class="unseen">{words},</span>
          {session.unusable ? (
            <span class="clip problem" dir="auto" title={session.unusable.reason}>
              {harmless(session.unusable.reason)}
            </span>
          ) : (
            <>
              <span class="row-project" title={harmless(session.cwd)}>
                {projectName(session.cwd)}
              </span>
              <Path of={parentOf(session.cwd)} />
            </>
          )}
        </div>
      </div>
      <div class="row-side small dim numeric">
        <Ago at={session.usedAt} />
        <span>{session.costUsd > 0 ? usd(session.costUsd) : ''}</span>
      </div>
    </div>
  )
}

/** Returns the parent directory of a project. */
const parentOf = (cwd: string) => harmless(cwd.replace(/\/+[^/]*\/*$/, ''))

const plural = (number: number, thing: string) => `${number} ${thing}${number === 1 ? '' : 's'}`
