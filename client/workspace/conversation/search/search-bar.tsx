import { useLayoutEffect, useRef } from 'preact/hooks'
import type { EventWindow } from '../event-window/event-window.ts'
import { Icon } from '../../parts/icons.tsx'
import type { Search } from './search.ts'

/** Searches the loaded part of the conversation; a button loads older events. */
export function SearchBar({ search, eventWindow }: { search: Search; eventWindow: EventWindow }) {
  const { asked, words, found, at, step } = search
  const { hasOlder, isLoading } = eventWindow
  const field = useRef<HTMLInputElement>(null)
  // Before the next key press, which belongs to the field. Again for each request to search.
  useLayoutEffect(() => field.current!.select(), [asked])
  const older = () => {
    void eventWindow.loadOlder()
    // The disabled button loses the focus while older events load.
    field.current!.focus()
  }
  return (
    <div
      class="search-bar"
      role="search"
      onKeyDown={event => {
        if (event.key === 'Escape') search.close()
        else if (event.key === 'Enter' && event.target === field.current) step(event.shiftKey ? -1 : 1)
        else return
        event.preventDefault()
        event.stopPropagation()
      }}
    >
      <Icon name="search" />
      <input
        ref={field}
        class="field"
        type="text"
        dir="auto"
        aria-label="Search in this conversation"
        placeholder="Search in this conversation"
        value={words}
        onInput={event => search.look(event.currentTarget.value)}
      />
      <span class="dim small numeric" role="status">
        {!words.trim() ? '' : found.length === 0 ? 'not found' : `${at + 1} of ${found.length}`}
      </span>
      {hasOlder && (
        <button type="button" class="button plain" disabled={isLoading} onClick={older}>
          {isLoading ? 'Loading…' : 'Load older'}
        </button>
      )}
      <button
        type="button"
        class="button plain icon"
        aria-label="The one before"
        disabled={!found.length}
        onClick={() => step(-1)}
      >
        <span class="up">
          <Icon name="chevron" />
        </span>
      </button>
      <button
        type="button"
        class="button plain icon"
        aria-label="The next one"
        disabled={!found.length}
        onClick={() => step(1)}
      >
        <span class="down">
          <Icon name="chevron" />
        </span>
      </button>
      <button type="button" class="button plain icon" aria-label="Close the search" onClick={search.close}>
        <Icon name="close" />
      </button>
    </div>
  )
}
