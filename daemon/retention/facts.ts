import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Session } from '../../protocol/index.ts'
import type { Store, StoredProcess } from '../store/store.ts'
import { inSlices } from './in-slices.ts'
import type { ProcessFacts, RetentionFacts, SessionFacts } from './plan.ts'

/** Bytes of the files of each process. */
type FileSizes = Map<string, number>

/**
 * Collects the facts that the plan is based on. The bytes of a session's events are estimated from its share in their
 * number; `eventBytes` measures them where it matters.
 */
export async function retentionFacts(
  { store, processesDir }: { store: Store; processesDir: string },
  isAtWork: (session: string) => boolean,
  signal: AbortSignal,
): Promise<RetentionFacts> {
  const files = await fileSizes(processesDir)
  const usedBytes = store.usedBytes()
  const ids = store.sessions.ids()
  const sessions: SessionFacts[] = []
  let allEvents = 0
  const take = () => {
    const id = ids.pop()
    if (id === undefined) return false
    const events = store.events.bounds(id).head
    allEvents += events
    // A session that was deleted meanwhile has no record.
    const record = isAtWork(id) ? undefined : store.sessions.get(id)
    if (record) sessions.push(sessionFacts(store, record, events, files))
    return true
  }
  await inSlices(take, signal)
  const share = allEvents === 0 ? 0 : usedBytes / allEvents
  signal.throwIfAborted()
  return {
    sessions: sessions.map(session => ({ ...session, eventBytes: Math.round(session.events * share) })),
    totalBytes: usedBytes + totalOf(files),
  }
}

/** Bytes of the files of all processes. */
export const rawBytes = async (processesDir: string): Promise<number> => totalOf(await fileSizes(processesDir))

/**
 * Returns the bytes that the events of a session take up, approximately. Rejects with the signal's reason if it is
 * aborted.
 */
export async function eventBytes(store: Store, session: string, signal: AbortSignal): Promise<number> {
  const { head } = store.events.bounds(session)
  let bytes = 0
  let seq = 0
  const step = () => {
    bytes += store.events.bytes(session, seq, pageEvents)
    seq += pageEvents
    return seq < head
  }
  await inSlices(step, signal)
  signal.throwIfAborted()
  return bytes
}

const pageEvents = 1_000

const sessionFacts = (store: Store, record: Session, events: number, files: FileSizes): SessionFacts => ({
  session: record.session,
  updatedAt: record.updatedAt,
  usedAt: record.usedAt,
  events,
  eventBytes: 0,
  processes: store.processes.ofSession(record.session).map(process => processFacts(process, files)),
})

const processFacts = ({ id, raw, endedAt }: StoredProcess, files: FileSizes): ProcessFacts => ({
  process: id,
  raw,
  endedAt,
  bytes: files.get(id) ?? 0,
})

const totalOf = (files: FileSizes) => [...files.values()].reduce((sum, bytes) => sum + bytes, 0)

async function fileSizes(processesDir: string): Promise<FileSizes> {
  const sizes: FileSizes = new Map()
  for (const name of await readdir(processesDir)) {
    const [, id] = /^([^.]+)\.(?:raw|times|err|pack)$/.exec(name) ?? []
    if (id !== undefined) sizes.set(id, (sizes.get(id) ?? 0) + (await sizeOf(join(processesDir, name))))
  }
  return sizes
}

/** A file that is gone meanwhile counts as 0. */
const sizeOf = (path: string) =>
  stat(path).then(
    facts => facts.size,
    () => 0,
  )
