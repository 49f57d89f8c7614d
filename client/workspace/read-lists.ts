import type { ClientApi, Cursor, Mux, Run } from '../sdk/browser.ts'
import { readPages } from '../sdk/collection.ts'

/** Records of one page: an answer of a list is about 1 MiB at most. */
const pageSize = 500

/** The newest place in a topic's log. */
export async function headOf(mux: Mux, topic: string, signal?: AbortSignal): Promise<Cursor> {
  const { epoch, head } = await mux.api.topic.read({ topic, after: Number.MAX_SAFE_INTEGER, limit: 1 }, { signal })
  return { epoch, seq: head }
}

/** The runs that have not ended: of a session, or of all. */
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
