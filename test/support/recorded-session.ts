import { decodeLine } from '../../daemon/agents/claude/frame/frame.ts'
import type { OutputLine } from '../../daemon/agents/agent.ts'
import { createLineSplitter } from '../../daemon/pty-host/lines.ts'
import { readRecording } from '../claude-output/support/replay.ts'

/** A session whose process prints a recording. */

export const by = { client: 'c_1', name: 'test' }

/** Splits a recording into lines, as a reader of its raw log returns them. */
export function linesOf(recording: string): OutputLine[] {
  return createLineSplitter()
    .push(readRecording(recording))
    .flatMap(({ bytes, endOffset }) =>
      decodeLine(bytes).map(decoded => ({ ...decoded, offset: endOffset, time: endOffset })),
    )
}

/** Returns the uuids of the prompts that the `init` of a turn names. */
export function promptsIn(line: OutputLine): string[] {
  if (!('frame' in line) || line.frame['subtype'] !== 'init') return []
  const names = line.frame['user_message_uuids']
  return Array.isArray(names) ? (names as string[]) : []
}
