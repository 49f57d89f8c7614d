import { bytes } from '../../parts/format.ts'
import type { Cut } from '../model/items.ts'
import { usePane } from '../pane-context.ts'

/** A button that loads the whole of a shortened event. */
export function LoadRest({ cut }: { cut: Cut | undefined }) {
  const { loadWhole } = usePane()
  if (!cut) return null
  return (
    <button type="button" class="more" onClick={() => loadWhole(cut.seq)}>
      Load all of it ({bytes(cut.bytes)})
    </button>
  )
}
