import { useState } from 'preact/hooks'
import { messageOf } from '../parts/format.ts'
import type { EventWindow } from './event-window/event-window.ts'
import { Jumps, useUnread } from './jumps.tsx'
import { RowList } from './list/row-list.tsx'
import type { Row } from './list/rows.ts'
import { drawRow, guessHeight } from './rows/row.tsx'

/** The messages of a session, which load as the user scrolls, and buttons that jump to unread ones and to the end. */
export function Messages({ list, rows, eventWindow, active, onEnd }: MessagesProps) {
  const { transcript, last, state, failure } = eventWindow
  const [isFollowing, setFollowing] = useState(true)
  const unread = useUnread(transcript.items, last, active && isFollowing)
  const rowOf = (item: string) => rows.find(row => row.item.key === item)?.key ?? item
  return (
    <div class="conversation-body">
      <RowList
        self={list}
        rows={rows}
        label="Messages"
        draw={drawRow}
        guess={guessHeight}
        onFollow={following => {
          eventWindow.keepTop = !following
          setFollowing(following)
        }}
        onNearTop={() => void (eventWindow.hasOlder && eventWindow.loadOlder())}
        onNearEnd={() => void (eventWindow.hasNewer && eventWindow.loadNewer())}
      />
      {rows.length === 0 && <Empty eventWindow={eventWindow} />}
      {eventWindow.isLoading && <p class="loading small dim">Loading…</p>}
      {state === 'failed' && rows.length > 0 && <p class="loading problem">{messageOf(failure)}</p>}
      {(!isFollowing || eventWindow.hasNewer) && (
        <Jumps
          unread={isFollowing ? undefined : unread}
          onUnread={({ key }) => list.current?.toRow(rowOf(key))}
          onEnd={onEnd}
        />
      )}
    </div>
  )
}

interface MessagesProps {
  list: { current: RowList | null }
  rows: readonly Row[]
  eventWindow: EventWindow
  /** Whether this is the active pane: then the user has seen what the end shows. */
  active: boolean
  onEnd(): void
}

function Empty({ eventWindow: { state, failure } }: { eventWindow: EventWindow }) {
  if (state === 'failed')
    return (
      <p class="empty problem" role="alert">
        {messageOf(failure)}
      </p>
    )
  return <p class="empty">{state === 'opening' ? 'Opening…' : 'Nothing has been said yet.'}</p>
}
