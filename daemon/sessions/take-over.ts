import type { LoadedSessions } from './loaded-sessions.ts'
import { endOrphans } from './recovery/orphans.ts'
import { factsOf } from './recovery/stored-facts.ts'

/**
 * Takes over what an earlier daemon left: the processes that the pty-host holds, and the active and queued runs. Ends
 * held processes that belong to no session.
 */
export function takeOver({ context, live, load, stored }: LoadedSessions): void {
  const { journal, log, store } = context
  const unfinished = store.runs.unfinished()
  const processes = new Map(store.processes.live().map(process => [process.session, process]))
  // Active runs take their slots before queued runs request one.
  const active = unfinished.filter(({ run }) => run.state !== 'queued')
  const ids = new Set([...active, ...unfinished].map(({ run }) => run.session))
  for (const id of processes.keys()) ids.add(id)

  const eachSession = (work: (id: string) => void) => {
    for (const id of ids) {
      try {
        work(id)
      } catch (error) {
        // The other sessions are still taken over.
        log.error('a session could not be taken over', { session: id, error })
      }
    }
  }
  eachSession(id => {
    const runs = unfinished.filter(({ run }) => run.session === id)
    load(id).takeOver(factsOf(store, stored(id), runs, processes.get(id)))
  })
  journal.flush()
  eachSession(id => live.get(id)?.readOn())
  journal.flush()
  endOrphans(context)
}
