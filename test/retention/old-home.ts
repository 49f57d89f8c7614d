import { mkdirSync, readdirSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { openStore } from '../../daemon/store/open.ts'
import type { Store } from '../../daemon/store/store.ts'
import { tempHome } from '../support/daemon.ts'
import { events, run, session } from '../support/records.ts'
import { endedProcess, printed } from './raw-logs.ts'

export const day = 24 * 60 * 60_000

export interface OldSession {
  id: string
  unusedMs: number
  events?: number
  eventBytes?: number
  /** The number of lines that each process printed. */
  lines?: number[]
}

/** Creates a home as a stopped daemon leaves it, with sessions last used the given time ago. */
export function oldHome(sessions: OldSession[]): string {
  const home = tempHome()
  mkdirSync(join(home, 'processes'), { recursive: true, mode: 0o700 })
  withStore(home, store => {
    for (const old of sessions) fill(store, home, old)
  })
  return home
}

function fill(
  store: Store,
  home: string,
  { id, unusedMs, events: count = 20, eventBytes = 100, lines = [50] }: OldSession,
) {
  const processes = join(home, 'processes')
  const updatedAt = Date.now() - unusedMs
  store.transaction(() => {
    store.sessions.add(
      session(id, { updatedAt, usedAt: updatedAt, createdAt: updatedAt, cwd: '/tmp', lastRun: `r_${id}` }),
    )
    store.runs.save(run(`r_${id}`, id, { state: 'done', firstSeq: 1, lastSeq: count, endedAt: updatedAt }))
    store.events.append(id, events(1, count, { delta: 'x'.repeat(eventBytes), run: `r_${id}` }))
  })
  lines.forEach((amount, index) => {
    const name = `p_${id}_${index}`
    endedProcess(store, processes, id, name, printed(amount, 3 + index), { endedAt: updatedAt + index })
    for (const kind of ['raw', 'times', 'err']) {
      utimesSync(join(processes, `${name}.${kind}`), updatedAt / 1_000, updatedAt / 1_000)
    }
  })
}

/** Opens the store of a home without a running daemon. */
export function withStore<T>(home: string, look: (store: Store) => T): T {
  const store = openStore(join(home, 'muxd.db'), { ballastBytes: 0 })
  try {
    return look(store)
  } finally {
    store.close()
  }
}

export const filesOf = (home: string): string[] => readdirSync(join(home, 'processes')).toSorted()

/** Returns the total size of the files in `processes` and of `muxd.db`, in bytes. */
export function keptBytes(home: string): number {
  const files = filesOf(home).map(name => join(home, 'processes', name))
  return [...files, join(home, 'muxd.db')].reduce((sum, path) => sum + statSync(path).size, 0)
}
