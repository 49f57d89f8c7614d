import { existsSync } from 'node:fs'
import type { AgentCodec, OutputLine } from '../../agents/agent.ts'
import { createOutputReader } from '../../pty-host/output.ts'
import { processFiles } from '../../pty-host/process-files.ts'
import { openRawLog, type RawLog } from '../../pty-host/raw-log.ts'
import type { EventRow, Store, StoredProcess } from '../../store/store.ts'

/** Reads the stored past of a session in portions, never all at once. */

const pageRows = 1_000

/** Yields the stored events of a session from `seq` on. */
export function* storedEvents(store: Pick<Store, 'events'>, session: string, seq: number): Generator<EventRow> {
  for (let after = seq - 1; ; ) {
    const page = store.events.rows(session, after, pageRows)
    yield* page
    if (page.length < pageRows) return
    after = page.at(-1)!.seq
  }
}

/** Yields the lines of a process from the raw log offset `from`, where a line begins, up to its checkpoint. */
export function* printedLines(
  agent: AgentCodec,
  processesDir: string,
  process: StoredProcess,
  from: number,
): Generator<OutputLine> {
  if (!hasPrinted(processesDir, process)) return
  const rawLog = openRawLog(processesDir, process.id, process.offset)
  try {
    const reader = createOutputReader(rawLog, process.nonce, agent, from)
    for (let output = reader.read(); output; output = reader.read()) {
      for (const line of output.lines) {
        if (line.offset > process.offset) return
        yield line
      }
    }
    for (const line of reader.rest()) if (line.offset <= process.offset) yield line
  } finally {
    rawLog.close()
  }
}

/** False for a process that was stored and then never started. */
export const hasPrinted = (processesDir: string, { id, offset }: Pick<StoredProcess, 'id' | 'offset'>): boolean =>
  offset > 0 || existsSync(processFiles(processesDir, id).raw)

/** Returns the number of bytes that the raw log of a process still holds. */
export const printedBytes = (processesDir: string, { id, offset }: StoredProcess): number =>
  looking(openRawLog(processesDir, id, offset), rawLog => rawLog.sizeBytes())

/**
 * Returns when a process last printed (ms since epoch), even if that output is not read yet; undefined if it has
 * printed nothing.
 */
export const lastPrintedAt = (processesDir: string, { id }: Pick<StoredProcess, 'id'>): number | undefined =>
  looking(openRawLog(processesDir, id), rawLog => {
    const size = rawLog.sizeBytes()
    return size > 0 ? rawLog.timeAt(size - 1) : undefined
  })

function looking<Found>(rawLog: RawLog, look: (rawLog: RawLog) => Found): Found {
  try {
    return look(rawLog)
  } finally {
    rawLog.close()
  }
}
