import { useSignal, useSignalEffect } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { DaemonEvent } from '../../sdk/browser.ts'
import { duration } from '../parts/format.ts'
import { Icon } from '../parts/icons.tsx'
import { useNow } from '../parts/time.tsx'
import { claudeIn, isSimulator } from '../context/simulator.ts'
import { useWorkspace } from '../context/workspace.ts'

const patienceMs = 4_000

/**
 * Shows problems of the connection and the daemon while they last. Announces each one to screen readers when it begins.
 */
export function Banners() {
  const { connection, hello } = useWorkspace()
  const { state } = connection.status.value
  return (
    <div class="banners" aria-live="polite">
      {state === 'recovering' && <Reconnecting />}
      <Lost />
      {state === 'open' && <DaemonNotice />}
      {!claudeIn(hello.value) && (
        <p class="banner warn">
          <Icon name="warning" />
          <span>
            <strong>Claude Code was not found.</strong> Install it with{' '}
            <code>npm install -g @anthropic-ai/claude-code</code>, or say where it is: <code>MUXD_CLAUDE_BIN</code>.
            Sessions can be looked at; runs fail until then.
          </span>
        </p>
      )}
    </div>
  )
}

/** Marks the simulator and an observe token beside the name of the page. */
export function Marks() {
  const { hello, readOnly } = useWorkspace()
  return (
    <>
      {isSimulator(hello.value) && (
        <span class="chip warn" title="No model answers, no tool runs: the simulator plays Claude Code">
          Simulator
        </span>
      )}
      {readOnly && (
        <span class="chip" title="This link may watch: nothing can be started, answered or cancelled with it">
          <Icon name="eye" /> Watching only
        </span>
      )}
    </>
  )
}

function Reconnecting() {
  const { connection } = useWorkspace()
  const { at } = connection.status.value
  const sinceMs = useNow() - at
  return (
    <p class="banner warn">
      <span class="dot running" aria-hidden="true" />
      <span>
        <strong>Reconnecting…</strong> What is shown may be old.{' '}
        {sinceMs > patienceMs && (
          <>
            Nothing has answered at {location.host} for {duration(sinceMs)}: start the daemon with{' '}
            <code>muxd open</code> or <code>muxd serve</code>. Sessions go on without it.
          </>
        )}
      </span>
    </p>
  )
}

/** Announces a reconnection, and shows a banner if the database has a new epoch, because events may be lost then. */
function Lost() {
  const { connection, records, say } = useWorkspace()
  const { state, opened } = connection.status.value
  const lost = useSignal(false)
  const epoch = useRef<string | undefined>(undefined)
  useEffect(() => {
    if (state === 'open' && opened > 1) say('Connected again')
  }, [opened])
  useSignalEffect(() => {
    const next = records.epoch.value
    if (next === undefined) return
    if (epoch.current !== undefined && epoch.current !== next) lost.value = true
    epoch.current = next
  })
  if (!lost.value) return null
  return (
    <p class="banner bad">
      <Icon name="warning" />
      <span>
        <strong>Not everything could be recovered.</strong> The machine went down, or its disk failed, before the latest
        events were on the disk: what sessions did in their last moments before may be missing. Open sessions show
        where.
      </span>
      <button type="button" class="button plain" onClick={() => (lost.value = false)}>
        Understood
      </button>
    </p>
  )
}

const daemonStates: Partial<Record<DaemonEvent['state'], string>> = {
  disk_full: 'The disk of the daemon is full: nothing can be started until there is room.',
  disk_failed: 'The disk of the daemon failed: it ends, and what it told last may be missing afterwards.',
  stopping: 'The daemon is stopping.',
}

function DaemonNotice() {
  const { mux } = useWorkspace()
  const notice = useSignal<DaemonEvent | undefined>(undefined)
  useEffect(() => {
    const leaving = new AbortController()
    const follow = async () => {
      for await (const event of mux.subscribe('daemon', { since: 'start', signal: leaving.signal }))
        if (event.type === 'daemon_status') notice.value = event
    }
    follow().catch(() => {
      // The connection is closed, which the page shows elsewhere.
    })
    return () => leaving.abort()
  }, [])
  const text = notice.value && daemonStates[notice.value.state]
  if (!text) return null
  return (
    <p class="banner bad">
      <Icon name="warning" />
      <span>
        {text} {notice.value?.detail}
      </span>
    </p>
  )
}
