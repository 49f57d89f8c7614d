import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Session } from '../../protocol/index.ts'
import { processFiles } from '../holder/process-files.ts'
import type { Store, StoredProcess } from '../store/store.ts'
import { inSlices } from './in-slices.ts'
import type { ProcessFacts, RetentionFacts, SessionFacts } from './plan.ts'

/** Bytes of the files of each process, by the kind that stands behind its id (`raw`, `pack`, …). */
type FileSizes = Map<string, Map<string, number>>

/**
 * What there is to be kept or not. What the events of a session take up is taken to be as its share in their number:
 * `eventBytes` counts it where it matters.
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
    // Deleted meanwhile, it has none.
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

/** Of what processes have printed, all together. */
export const rawBytes = async (processesDir: string): Promise<number> => totalOf(await fileSizes(processesDir))

/** What the events of a session take up. */
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

/** Of the files of one process, now. */
export async function processBytes(processesDir: string, process: string): Promise<number> {
  const { raw, times, err, pack } = processFiles(processesDir, process)
  const sizes = await Promise.all([raw, times, err, pack].map(sizeOf))
  return sizes.reduce((sum, bytes) => sum + bytes, 0)
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

function processFacts({ id, raw }: StoredProcess, files: FileSizes): ProcessFacts {
  const sizes = files.get(id) ?? new Map<string, number>()
  const bytes = total(sizes)
  return { process: id, raw, bytes, plainBytes: bytes - (sizes.get('pack') ?? 0) }
}

const totalOf = (files: FileSizes) => [...files.values()].reduce((sum, sizes) => sum + total(sizes), 0)

const total = (sizes: Map<string, number>) => [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0)

async function fileSizes(processesDir: string): Promise<FileSizes> {
  const sizes: FileSizes = new Map()
  for (const name of await readdir(processesDir)) {
    const [, id, kind] = /^([^.]+)\.(raw|times|err|pack)$/.exec(name) ?? []
    if (id === undefined || kind === undefined) continue
    const bytes = await sizeOf(join(processesDir, name))
    sizes.set(id, (sizes.get(id) ?? new Map<string, number>()).set(kind, bytes))
  }
  return sizes
}

/** What is gone meanwhile takes up nothing. */
const sizeOf = (path: string) =>
  stat(path).then(
    facts => facts.size,
    () => 0,
  )
