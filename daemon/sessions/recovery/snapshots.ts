import { deserialize, serialize } from 'node:v8'
import type { AgentCodec } from '../../agents/agent.ts'
import type { SnapshotTable, StoredProcess, StoredSnapshot } from '../../store/store.ts'
import { type SessionState, stateVersion } from '../machine/fold/state.ts'

/**
 * Takes snapshots of a session's state while it has a process. A restart begins with the last one, so it reads only a
 * bounded part of the output again, however long the output is.
 */
export interface Snapshots {
  /** Counts what was applied since the last snapshot. Returns a snapshot of the state if one is due. */
  take(s: SessionState, applied: { lines: number; acts: number; begun: boolean }): StoredSnapshot | undefined
  /** Counts what a restart has read again. `isMissing`: a snapshot is due at once. */
  resume(s: SessionState, reread: Reread, isMissing: boolean): void
}

/** How much of the output of a process was read again. */
export interface Reread {
  lines: number
  bytes: number
}

/** Reading this many lines again takes about 60 ms. */
const usualLinesBetween = 2_000
const actsBetween = 10_000
/** A larger snapshot would delay all sessions while it is stored. */
const maxBytes = 4 * 1024 * 1024

export const versionOf = ({ kind, decoderVersion }: AgentCodec): string => `${stateVersion}/${kind}/${decoderVersion}`

export function createSnapshots(agent: AgentCodec, linesBetween = usualLinesBetween): Snapshots {
  let from = 0
  let lines = 0
  let acts = 0
  let bytes = 0
  let isMissing = false

  return {
    take(s, applied) {
      if (!s.process) return undefined
      if (applied.begun) {
        from = 0
        bytes = 0
        isMissing = true
      }
      lines += applied.lines
      acts += applied.acts
      const { offset } = s.process
      // The state grows with the turn, so the next snapshot waits for as much output as the last one was large.
      const isDue = (lines >= linesBetween && offset - from >= bytes) || acts >= actsBetween
      if (!isDue && !isMissing) return undefined
      isMissing = false
      from = offset
      lines = 0
      acts = 0
      const memory = serialized(s)
      bytes = memory?.length ?? 0
      if (!memory || memory.length > maxBytes) return undefined
      return { process: s.process.id, version: versionOf(agent), seq: s.head, acts: s.acts, offset, memory }
    },
    resume(s, reread, missing) {
      isMissing = missing
      lines = reread.lines
      from = (s.process?.offset ?? 0) - reread.bytes
    },
  }
}

/** Undefined if the state cannot be serialized: the output is then read again from its beginning. */
function serialized(s: SessionState): Uint8Array | undefined {
  try {
    return serialize(s)
  } catch {
    return undefined
  }
}

/** Returns the state in the snapshot of a process; undefined if there is no usable one. */
export function readSnapshot(
  snapshots: Pick<SnapshotTable, 'get'>,
  process: StoredProcess,
  { version, head, acts }: { version: string; head: number; acts: number },
): { state: SessionState; seq: number; acts: number; offset: number } | undefined {
  const stored = snapshots.get(process.id)
  if (!stored || stored.version !== version) return undefined
  if (stored.seq > head || stored.acts > acts || stored.offset > process.offset) return undefined
  try {
    const { seq, acts: applied, offset } = stored
    return { state: deserialize(stored.memory) as SessionState, seq, acts: applied, offset }
  } catch {
    return undefined
  }
}
