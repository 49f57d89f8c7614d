import { deserialize, serialize } from 'node:v8'
import type { SnapshotTable, StoredProcess, StoredSnapshot } from '../store/store.ts'
import type { ActiveRun } from './active-run.ts'
import type { Conversation, ConversationMemory } from './conversation.ts'
import type { Recorder } from './recorder.ts'

/**
 * Snapshots of what a session remembers of its process: whoever takes the process over goes on from the last one, so
 * that it reads a bounded part of the output again, however long that has become.
 */
export interface Snapshots {
  /** So many lines more have been read, up to `offset`: takes a snapshot into the entry that is gathered where one is due. */
  read(lines: number, offset: number): void
}

/** How much of what a process has printed was gone through again. */
export interface Reread {
  lines: number
  bytes: number
}

/** Reading so many lines again takes some 60 ms. */
const usualLinesBetween = 2_000
/** A larger one would hold up all sessions while it is stored. */
const maxBytes = 4 * 1024 * 1024

export function createSnapshots(options: {
  conversation: Conversation
  recorder: Recorder
  build: string
  process: StoredProcess
  /** What was read again of it: the next daemon need not, even if this one does not live for long. */
  reread?: Reread
  /** Fewer in tests. */
  linesBetween?: number
}): Snapshots {
  const { conversation, recorder, build, process, linesBetween = usualLinesBetween } = options
  const { reread = { lines: 0, bytes: 0 } } = options
  let from = process.offset - reread.bytes
  let { lines } = reread
  let bytes = 0
  return {
    read(count, offset) {
      lines += count
      // A turn's memory grows with the turn: the snapshots are to be no larger than the output they are of.
      if (lines < linesBetween || offset - from < bytes) return
      const memory = serialized(conversation.memory())
      if (memory && memory.length <= maxBytes)
        recorder.snapshot({ process: process.id, version: build, seq: recorder.head, acts: 0, offset, memory })
      from = offset
      lines = 0
      bytes = memory?.length ?? 0
    },
  }
}

/** Undefined where it cannot be done: the output is then read again from its beginning. */
function serialized(memory: ConversationMemory): Uint8Array | undefined {
  try {
    return serialize(copyable(memory))
  } catch {
    return undefined
  }
}

function copyable({ active, background, ...memory }: ConversationMemory): ConversationMemory {
  return { ...memory, active: active && withoutPlace(active), background: background && withoutPlace(background) }
}

/** The next daemon asks for a place among the active runs of its own. */
const withoutPlace = ({ place: _, ...run }: ActiveRun): ActiveRun => run

/** What the program `build` has remembered of a process; undefined where nothing is of use. `head`: of the session's log. */
export function rememberedOf(
  snapshots: Pick<SnapshotTable, 'get'>,
  process: StoredProcess,
  { build, head }: { build: string; head: number },
): (Omit<StoredSnapshot, 'memory'> & { memory: ConversationMemory }) | undefined {
  const stored = snapshots.get(process.id)
  if (!stored || stored.version !== build || stored.seq > head || stored.offset > process.offset) return undefined
  try {
    return { ...stored, memory: deserialize(stored.memory) as ConversationMemory }
  } catch {
    return undefined
  }
}
