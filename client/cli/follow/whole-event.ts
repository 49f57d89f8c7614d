import { type Event, type Gap, type Mux, RpcError } from '../../sdk/index.ts'

/**
 * Reads an event of a session again if it was sent cut. If the daemon no longer has the event, returns it as it is,
 * with `cut`.
 */
export async function wholeEvent(mux: Mux, session: string, event: Event | Gap): Promise<Event | Gap> {
  if (event.type === 'gap' || event.cut === undefined) return event
  try {
    const { event: whole } = await mux.api.event.get({ topic: `session/${session}`, seq: event.seq })
    return whole as Event
  } catch (error) {
    if (error instanceof RpcError) return event
    throw error
  }
}
