import { useSignal } from '@preact/signals'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import type { FrameEvent, Gap } from '../../sdk/browser.ts'
import { messageOf } from '../parts/format.ts'
import { useWorkspace } from '../context/workspace.ts'
import { JsonTree } from '../parts/json-tree.tsx'
import { VirtualList } from '../parts/virtual-list.tsx'
import { emptyWindow, frameLine, isFull, withNewer, withOlder } from './frame-window.ts'
import { conversationOf } from '../layout/block.ts'

const rowHeight = 24
const pageSize = 200

/** Lists the untranslated frames of a session. Starts at the newest frames and loads older ones on scrolling up. */
export function FramesBlock({ session }: { session: string }) {
  const { mux, paneManager } = useWorkspace()
  const topic = `session/${session}/frames` as const
  const frames = useSignal(emptyWindow)
  const first = useSignal(1)
  const chosen = useSignal<FrameEvent | undefined>(undefined)
  const problem = useSignal('')
  const following = useSignal(true)
  const scroller = useRef<HTMLDivElement>(null)
  const reading = useRef(false)
  const { rows } = frames.value

  useEffect(() => {
    const leaving = new AbortController()
    let fresh: (FrameEvent | Gap)[] = []
    const show = () => {
      frames.value = withNewer(frames.value, fresh, { isReading: !following.value })
      fresh = []
    }
    const follow = async () => {
      const end = await mux.api.topic.read({ topic, after: 0, limit: 1 }, { signal: leaving.signal })
      first.value = end.first
      const since = { epoch: end.epoch, seq: Math.max(end.first - 1, end.head - pageSize) }
      for await (const event of mux.subscribe(topic, { since, signal: leaving.signal })) {
        if (!fresh.length) setTimeout(show, 50)
        fresh.push(event)
      }
    }
    follow().catch((error: unknown) => {
      if (!leaving.signal.aborted) problem.value = messageOf(error)
    })
    return () => leaving.abort()
  }, [session])

  // Follow new frames only while the list is scrolled to its end.
  useLayoutEffect(() => {
    const element = scroller.current
    if (element && following.value) element.scrollTop = element.scrollHeight
  }, [rows])

  const readOlder = async (element: HTMLDivElement) => {
    const oldest = rows.find(row => row.type === 'frame')
    if (reading.current || !oldest || oldest.seq <= first.value || isFull(frames.value)) return
    reading.current = true
    try {
      const after = Math.max(first.value - 1, oldest.seq - 1 - pageSize)
      const page = await mux.api.topic.read({ topic, after, limit: oldest.seq - 1 - after })
      const before = frames.value.rows.length
      frames.value = withOlder(frames.value, page.events as FrameEvent[])
      element.scrollTop += (frames.value.rows.length - before) * rowHeight
    } catch (error) {
      problem.value = messageOf(error)
    } finally {
      reading.current = false
    }
  }
  const onScroll = (element: HTMLDivElement) => {
    following.value = element.scrollTop + element.clientHeight >= element.scrollHeight - rowHeight
    if (element.scrollTop < rowHeight * 20) void readOlder(element)
  }

  const at = chosen.value ? rows.indexOf(chosen.value) : -1
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20 }[event.key]
    if (event.key === 'Escape' && chosen.value) chosen.value = undefined
    else if (by !== undefined) {
      const from = at < 0 ? (by > 0 ? -1 : rows.length) : at
      const row = rows[Math.max(0, Math.min(rows.length - 1, from + by))]
      if (row?.type === 'frame') chosen.value = row
    } else return
    event.preventDefault()
  }

  return (
    <div role="group" class="block frames" aria-label="Frames" tabIndex={-1}>
      <header class="block-bar">
        <p class="grow small dim" aria-live="off">
          {rows.length} frames here{first.value > 1 ? `, kept from ${first.value} on` : ''}
          {isFull(frames.value) && '; older ones are not loaded, the list is full'}
        </p>
        <button type="button" class="button plain" onClick={() => paneManager.show(conversationOf(session))}>
          Session
        </button>
      </header>
      {problem.value && <p class="problem padded">{problem.value}</p>}
      {!rows.length && !problem.value && <p class="empty">No frame yet.</p>}
      <VirtualList
        class="rows mono"
        role="listbox"
        aria-label="Frames, oldest first"
        tabIndex={0}
        data-autofocus
        aria-activedescendant={chosen.value && `frame-${session}-${chosen.value.seq}`}
        scroller={scroller}
        onScroll={onScroll}
        onKeyDown={onKeyDown}
        items={rows}
        rowHeight={rowHeight}
        cursor={at < 0 ? undefined : at}
        keyOf={row => (row.type === 'gap' ? `gap ${row.to}` : row.seq)}
        renderRow={row =>
          row.type === 'gap' ? (
            <div class="frame-row gap" role="option" aria-selected={false} aria-disabled="true">
              Frames up to {row.to} are no longer kept.
            </div>
          ) : (
            <FrameRow
              id={`frame-${session}-${row.seq}`}
              event={row}
              isChosen={row === chosen.value}
              onChoose={() => (chosen.value = row === chosen.value ? undefined : row)}
            />
          )
        }
      />
      {chosen.value && (
        <aside class="frame-detail mono" aria-label={`Frame ${chosen.value.seq}`}>
          <JsonTree key={chosen.value.seq} value={chosen.value.unparsed ?? chosen.value.frame} />
        </aside>
      )}
    </div>
  )
}

function FrameRow({
  id,
  event,
  isChosen,
  onChoose,
}: {
  id: string
  event: FrameEvent
  isChosen: boolean
  onChoose(): void
}) {
  const { kind, gist } = frameLine(event)
  return (
    <div id={id} class="frame-row" role="option" aria-selected={isChosen} onClick={onChoose}>
      <span class="dim numeric frame-seq">{event.seq}</span>
      <span class="frame-kind clip">{kind}</span>
      <span class="dim clip grow">{gist}</span>
    </div>
  )
}
