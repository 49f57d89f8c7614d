import { rm } from 'node:fs/promises'
import type { AgentCodec } from '../agents/agent.ts'
import { processFiles } from '../pty-host/process-files.ts'
import type { Store, StoredProcess } from '../store/store.ts'
import { agentOf } from '../sessions/agent-of.ts'
import { outputsOf } from '../topics/logs/process-output.ts'
import { inSlices } from './in-slices.ts'

/**
 * Drops the raw log of a process that has ended and whose output is translated to its end. The number of its frames is
 * stored before any file is removed, so that the frames of later processes keep their numbers. If the daemon is killed
 * at any step, the same call does the rest. Rejects with the signal's reason if it is aborted.
 */
export async function dropRawLog(
  { agents, store, processesDir }: { agents: ReadonlyMap<string, AgentCodec>; store: Store; processesDir: string },
  process: StoredProcess,
  signal: AbortSignal,
): Promise<void> {
  if (process.raw === 'kept') {
    const { agent: kind = '' } = store.sessions.get(process.session) ?? {}
    store.processes.dropped(
      process.id,
      process.frames ?? (await countFrames(agentOf(agents, kind), processesDir, process, signal)),
    )
    // After a power cut, the database must not name files that are gone.
    await store.sync()
  }
  const { raw, times, err, pack } = processFiles(processesDir, process.id)
  for (const file of [raw, times, err, pack]) await rm(file, { force: true })
}

async function countFrames(
  agent: AgentCodec,
  processesDir: string,
  process: StoredProcess,
  signal: AbortSignal,
): Promise<number> {
  const outputs = outputsOf(agent, processesDir, process, 0)
  let frames = 0
  const step = () => {
    const { value, done } = outputs.next()
    if (done) return false
    frames += value.lines.length
    return true
  }
  try {
    await inSlices(step, signal)
  } finally {
    outputs.return(undefined)
  }
  signal.throwIfAborted()
  return frames
}
