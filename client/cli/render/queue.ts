import type { Colors } from 'picocolors/types.js'
import type { Run } from '../../sdk/index.ts'
import { table } from './format.ts'
import { oneLine } from '../screen/text.ts'

/** Renders queued runs, one in each line. Positions count from 1, as in `muxd move --to`. */
export function queueLines(runs: readonly Run[], { columns, colors }: { columns: number; colors: Colors }): string[] {
  const rows = runs.map(({ run, position, waitingFor, origin, prompt }) => [
    String((position ?? 0) + 1),
    run,
    waitingFor ?? '-',
    oneLine('name' in origin ? origin.name : origin.background.kind),
    oneLine(prompt),
  ])
  const paint = (text: string, _column: number, row: number) => (row === 0 ? colors.dim(text) : text)
  return table(['#', 'RUN', 'WAITS FOR', 'BY', 'PROMPT'], rows, columns, 4, { paint })
}
