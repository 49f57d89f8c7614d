import type { Cursor, EventOn, TopicName } from '../../protocol/index.ts'
import type { ConnectionState } from './reconnect.ts'
import type { Subscribe } from './topics.ts'

export interface CollectionOptions<Topic extends TopicName> {
  connection: { readonly state: ConnectionState }
  subscribe: Subscribe
  topic: Topic
  /** Returns the newest position in the topic's log. */
  head(): Promise<Cursor>
  /** Reads all records as they are now. */
  list(): void | Promise<void>
  /** Applies one event after the list. Records are whole: the newer one replaces the older one. */
  change(event: EventOn<Topic> & { seq: number }): void | Promise<void>
  signal?: AbortSignal | undefined
}

/** A refused call is repeated after this. A call that lost its connection waits for the next one by itself. */
const pauseMs = 500

/**
 * Keeps a copy of records that the daemon lists and publishes on a topic: reads the topic's head, then the list, then
 * applies the changes behind that head. Reads the list again after a gap. Starts over when the connection breaks or a
 * call fails for a moment, wherever that happens. Rejects with any other error, with the signal's reason, and when the
 * connection is closed.
 */
export async function followCollection<Topic extends TopicName>(options: CollectionOptions<Topic>): Promise<never> {
  const { connection, signal } = options
  for (;;) {
    try {
      await followOnce(options)
    } catch (error) {
      signal?.throwIfAborted()
      const isTemporary = (error as { retryable?: boolean }).retryable === true
      if (!isTemporary || connection.state === 'closed') throw error
      await new Promise(resolve => void setTimeout(resolve, pauseMs))
    }
  }
}

async function followOnce<Topic extends TopicName>(options: CollectionOptions<Topic>): Promise<void> {
  const { subscribe, topic, head, list, change, signal } = options
  let since = await head()
  await list()
  for await (const event of subscribe(topic, { since, signal })) {
    if (event.type === 'gap') {
      since = await head()
      await list()
    } else {
      const known = event as EventOn<Topic> & { seq: number }
      // The list that was read after a gap already contains older events.
      if (known.seq > since.seq) await change(known)
    }
  }
}

/** Reads all pages of a method that lists records. */
export async function readPages<Page extends { next?: string }, Item>(
  read: (from: { after?: string }) => Promise<Page>,
  itemsOf: (page: Page) => readonly Item[],
): Promise<Item[]> {
  const all: Item[] = []
  let after: string | undefined
  do {
    const page = await read(after === undefined ? {} : { after })
    all.push(...itemsOf(page))
    after = page.next
  } while (after !== undefined)
  return all
}
