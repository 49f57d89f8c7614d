import type { AgentCodec, LineContent } from '../../agents/agent.ts'
import { isKept } from '../../pty-host/kept-file.ts'
import { createOutputReader, type Output } from '../../pty-host/output.ts'
import { processFiles } from '../../pty-host/process-files.ts'
import { openRawLog } from '../../pty-host/raw-log.ts'
import type { StoredProcess } from '../../store/store.ts'

/**
 * Yields the output of a process so far, from `offset`, where a line begins. It consists of whole lines, whose
 * numbering never changes.
 */
export function* outputsOf(
  agent: AgentCodec,
  processesDir: string,
  process: StoredProcess,
  offset: number,
): Generator<Output<LineContent>> {
  // A process that is being started has no files yet.
  if (!isKept(processFiles(processesDir, process.id))) return
  const rawLog = openRawLog(processesDir, process.id)
  try {
    const reader = createOutputReader(rawLog, process.nonce, agent, offset)
    for (let output = reader.read(); output; output = reader.read()) yield output
  } finally {
    rawLog.close()
  }
}
