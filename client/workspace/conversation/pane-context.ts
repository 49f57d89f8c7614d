import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Mux } from '../../sdk/browser.ts'
import type { Opened } from './list/rows.ts'
import type { Remedy } from './model/advice.ts'
import type { EndItem } from './model/items.ts'

/** The context of the rows of a conversation and of the controls below them. */
export interface PaneContext {
  mux: Mux
  session: string
  /** The user cannot change the session: the token is an observe token, or the session is unusable. */
  readOnly: boolean
  /** Shows a problem below the conversation. */
  report(error: unknown): void
  opened: Opened
  /** Opens or closes an item, or a part of one. */
  setOpen(key: string, open: boolean): void
  /** The key of the end item whose remedy can be applied now. */
  remediable: string | undefined
  remedy(item: EndItem, remedy: Remedy): void
  /** Loads the whole of a shortened event from the daemon. */
  loadWhole(seq: number): void
}

export const Pane = createContext<PaneContext>(undefined as never)

export const usePane = (): PaneContext => useContext(Pane)

/** Returns whether a part of the conversation is open, and a function to toggle it. The state outlives the row. */
export function useOpen(key: string, byDefault: boolean): [open: boolean, toggle: () => void] {
  const { opened, setOpen } = usePane()
  const open = opened.get(key) ?? byDefault
  return [open, () => setOpen(key, !open)]
}
