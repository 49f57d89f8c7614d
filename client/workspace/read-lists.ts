import type { ClientApi, Cursor, Mux, Run } from '../sdk/browser.ts'
import { readPages } from '../sdk/collection.ts'

/** Runs per page. The daemon limits an answer to about 1 MiB. */
const pageSize = 500

/** Returns the cursor at the head of a topic's log. */
export async function headOf(mux: Mux, topic: string, signal?: AbortSignal): Promise<Cursor> {
  const { epoch, head } = await mux.api.topic.read({ topic, after: Number.MAX_SAFE_INTEGER, limit: 1 }, { signal })
  return { epoch, seq: head }
}

/** Reads the runs that have not ended, of one session or of all. */
export async function readActiveRuns(api: ClientApi, of: { session?: string }, signal?: AbortSignal): Promise<Run[]> {
  const states = ['queued', 'running', 'cancelling'] as const
  const lists = states.map(state =>
    readPages(
      from => api.run.list({ ...of, state, limit: pageSize, ...from }, { signal }),
      page => page.runs,
    ),
  )
  return (await Promise.all(lists)).flat()
}
