import type { EventOf } from '../../../protocol/index.ts'

/**
 * Returns the text of the `log_damaged` event that replaces the event of `seq`, which cannot be read as it was stored.
 */
export function damagedEvent(seq: number, found: { text: unknown } | undefined): string {
  const event: EventOf<'log_damaged'> = {
    seq,
    // The event's own time is as doubtful as the rest of it.
    time: 0,
    run: null,
    type: 'log_damaged',
    log: 'events',
    bytes: typeof found?.text === 'string' ? Buffer.byteLength(found.text) : 0,
    detail: found === undefined ? 'the event that was kept here is gone' : 'the event that was kept here has changed',
  }
  return JSON.stringify(event)
}
