import type { Session } from '../../../protocol/index.ts'
import { oneLine } from '../screen/text.ts'

/** Renders the processes that Claude Code left running, and the command that ends them. */
export function leftLines({ session, left }: Session): string[] {
  if (!left) return []
  const { processes, more } = left
  return [
    `left running by Claude Code (muxd close ${session} --sweep ends it):`,
    ...processes.map(
      ({ pid, startedAt, command }) =>
        `  pid ${pid}, since ${new Date(startedAt).toLocaleString()}: ${oneLine(command) || 'unknown command'}`,
    ),
    ...(more > 0 ? [`  and up to ${more} more`] : []),
  ]
}
