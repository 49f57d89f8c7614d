import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Mux } from '../../sdk/browser.ts'
import type { Opened } from './list/rows.ts'
import type { Remedy } from './model/advice.ts'
import type { EndItem } from './model/items.ts'

/** What the rows of a conversation need beside their items. */
export interface PaneContext {
  mux: Mux
  session: string
  readOnly: boolean
  opened: Opened
  /** Opens or closes an item, or a part of one. */
  setOpen(key: string, open: boolean): void
  /** The key of the end that something can be done about now. */
  remediable: string | undefined
  remedy(item: EndItem, remedy: Remedy): void
  /** Asks the daemon for the whole of an event that is here in part. */
  loadWhole(seq: number): void
}

export const Pane = createContext<PaneContext>(undefined as never)

export const usePane = (): PaneContext => useContext(Pane)

/** Whether a part of the conversation is open, and what turns that over. It is kept while the part is out of view. */
export function useOpen(key: string, byDefault: boolean): [open: boolean, toggle: () => void] {
  const { opened, setOpen } = usePane()
  const open = opened.get(key) ?? byDefault
  return [open, () => setOpen(key, !open)]
}
