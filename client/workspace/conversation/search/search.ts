import { useEffect, useMemo, useState } from 'preact/hooks'
import type { RowList } from '../list/row-list.tsx'
import type { Row } from '../list/rows.ts'
import { markFound } from './mark-found.ts'
import { findRows } from './row-text.ts'

/** The search in a conversation: its words, and the rows that contain them. */
export interface Search {
  isOpen: boolean
  words: string
  /** The keys of the matches, and the index of the one that is shown. */
  found: readonly string[]
  at: number
  /** Number of requests to search. */
  asked: number
  open(): void
  /** Also returns the focus to the rows. */
  close(): void
  look(words: string): void
  /** Shows the next match, or the one before with -1. */
  step(by: number): void
}

export function useSearch(rows: readonly Row[], list: { current: RowList | null }): Search {
  const [isOpen, setOpen] = useState(false)
  const [asked, setAsked] = useState(0)
  const [words, setWords] = useState('')
  // The key of the match that is shown.
  const [shown, setShown] = useState<string>()
  const wanted = isOpen ? words : ''
  const found = useMemo(() => findRows(rows, wanted), [rows, wanted])
  const at = Math.max(0, found.indexOf(shown ?? ''))
  const show = (key: string | undefined) => {
    setShown(key)
    if (key !== undefined) list.current?.toRow(key)
  }
  // After each render, because other rows may be rendered now.
  useEffect(() => (wanted.trim() ? markFound('muxd-found', list.current?.drawn ?? [], wanted) : undefined))
  return {
    isOpen,
    words,
    found,
    at,
    asked,
    open() {
      setOpen(true)
      setAsked(asked + 1)
    },
    close() {
      setOpen(false)
      list.current?.element?.focus()
    },
    look(next) {
      setWords(next)
      // Show the newest match first, because users mostly look for it.
      show(findRows(rows, next).at(-1))
    },
    step: by => show(found.at((at + by) % found.length)),
  }
}
