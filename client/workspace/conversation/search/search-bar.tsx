import { useLayoutEffect, useRef } from 'preact/hooks'
import { Icon } from '../../parts/icons.tsx'

/** Searches the loaded part of the conversation; a button loads older events. */
export function SearchBar(props: SearchBarProps) {
  const { asked, words, found, at, hasOlder, isLoading, onWords, onStep, onOlder, onClose } = props
  const field = useRef<HTMLInputElement>(null)
  // Before the next key press, which belongs to the field. Again for each request to search.
  useLayoutEffect(() => field.current!.select(), [asked])
  const older = () => {
    onOlder()
    // The disabled button loses the focus while older events load.
    field.current!.focus()
  }
  return (
    <div
      class="search-bar"
      role="search"
      onKeyDown={event => {
        if (event.key === 'Escape') onClose()
        else if (event.key === 'Enter' && event.target === field.current) onStep(event.shiftKey ? -1 : 1)
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
        onInput={event => onWords(event.currentTarget.value)}
      />
      <span class="dim small numeric" role="status">
        {!words.trim() ? '' : found === 0 ? 'not found' : `${at + 1} of ${found}`}
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
        disabled={!found}
        onClick={() => onStep(-1)}
      >
        <span class="up">
          <Icon name="chevron" />
        </span>
      </button>
      <button
        type="button"
        class="button plain icon"
        aria-label="The next one"
        disabled={!found}
        onClick={() => onStep(1)}
      >
        <span class="down">
          <Icon name="chevron" />
        </span>
      </button>
      <button type="button" class="button plain icon" aria-label="Close the search" onClick={onClose}>
        <Icon name="close" />
      </button>
    </div>
  )
}

interface SearchBarProps {
  /** Number of requests to search; a new one selects the text of the field. */
  asked: number
  words: string
  found: number
  /** The index of the match that is shown. */
  at: number
  hasOlder: boolean
  isLoading: boolean
  onWords: (words: string) => void
  onStep: (by: number) => void
  onOlder: () => void
  onClose: () => void
}
