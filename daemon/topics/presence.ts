import type { Viewer, Viewers } from '../../protocol/index.ts'
import type { Limits } from '../../protocol/limits.ts'

/**
 * The viewers of each session, as the hub knows them. Changes are published on `sessions`, with a delay and merged: a
 * viewer that came and went in between is not reported, and of several changes only the last counts.
 */
export interface Presence {
  viewers(session: string): Viewers
  /** Called when a connection has subscribed to a topic or left it. */
  changed(topic: string): void
  close(): void
}

export function createPresence(options: {
  /** Returns the clients subscribed to a topic, with an entry for each connection. */
  watching(topic: string): Viewer[]
  exists(session: string): boolean
  publish(record: { type: 'viewers_changed'; session: string } & Viewers): void
  limits: Pick<Limits, 'viewersEveryMs' | 'viewersAtOnce' | 'maxViewersShown'>
}): Presence {
  const { watching, exists, publish, limits } = options
  /** Sessions to check, in the order of their first change. */
  const due = new Set<string>()
  /** The viewers last published for each session that has any, as JSON. */
  const told = new Map<string, string>()
  let timer: NodeJS.Timeout | undefined

  const viewers = (session: string) => viewersOf(watching(`session/${session}`), limits.maxViewersShown)

  const tell = () => {
    timer = undefined
    let left = limits.viewersAtOnce
    for (const session of due) {
      // Each change is a record of a bounded topic, from which presence must not push out the records of sessions and
      // runs.
      if (left === 0) break
      due.delete(session)
      const now = viewers(session)
      const text = JSON.stringify(now)
      if (text === (told.get(session) ?? nobody)) continue
      if (text === nobody) told.delete(session)
      else told.set(session, text)
      if (!exists(session)) continue
      publish({ type: 'viewers_changed', session, ...now })
      left--
    }
    if (due.size > 0) schedule()
  }

  const schedule = () => {
    timer ??= setTimeout(tell, limits.viewersEveryMs)
    timer.unref()
  }

  return {
    viewers,
    changed(topic) {
      const session = /^session\/([^/]+)$/.exec(topic)?.[1]
      if (session === undefined) return
      due.add(session)
      schedule()
    },
    close: () => clearTimeout(timer),
  }
}

const nobody = JSON.stringify({ viewers: [], more: 0 } satisfies Viewers)

function viewersOf(connections: readonly Viewer[], most: number): Viewers {
  const clients = new Map<string, Viewer>()
  for (const viewer of connections.toSorted((one, other) => one.since - other.since)) {
    const first = clients.get(viewer.client)
    if (first === undefined) clients.set(viewer.client, viewer)
    else if (viewer.role === 'control') clients.set(viewer.client, { ...first, role: 'control' })
  }
  const viewers = [...clients.values()]
  return { viewers: viewers.slice(0, most), more: Math.max(0, viewers.length - most) }
}
