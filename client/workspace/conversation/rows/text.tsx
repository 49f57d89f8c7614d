import { Markdown } from '../../parts/markdown.tsx'
import type { Row } from '../list/rows.ts'

/** One block of Claude's text. */
export const Text = ({ row, isWritten }: { row: Row; isWritten: boolean }) => (
  <div class="said">
    <Markdown source={row.block!.source} isWritten={isWritten} />
  </div>
)
