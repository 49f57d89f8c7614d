import { expect } from 'vitest'
import type { Event, EventOf, EventType } from '../../../protocol/index.ts'
import { terminalTypes } from '../../../protocol/index.ts'
import { waitOptions, type Mux } from './suite.ts'
import { until } from '../../support/until.ts'

export type Run = ReturnType<Mux['attach']>

/** Reads a run's events as they come. */
export interface Watch {
  run: Run
  events: Event[]
  /** Resolves with the first event of this type that matches, whether it has arrived already or arrives later. */
  until<T extends EventType>(type: T, matches?: (event: EventOf<T>) => boolean): Promise<EventOf<T>>
  /** Resolves with all events of the run once it has ended. Checks what holds for every run. */
  ended(): Promise<Event[]>
}

export function watch(run: Run): Watch {
  const events: Event[] = []
  const reading = (async () => {
    for await (const event of run.events()) {
      if (event.type === 'gap') throw new Error(`events are missing: ${JSON.stringify(event)}`)
      events.push(event)
    }
  })()
  // `ended` reports the error. Until then it must not count as an unhandled rejection.
  reading.catch(() => {})
  return {
    run,
    events,
    until: (type, matches = () => true) =>
      until(() => {
        const found = ofType(events, type).find(matches)
        if (!found) throw new Error(`no ${type} among: ${describeEvents(events)}`)
        return found
      }, waitOptions),
    ended: async () => {
      await reading
      checkShape(events)
      return events
    },
  }
}

/** Runs a prompt to its end. */
export async function play(mux: Mux, params: Parameters<Mux['run']>[0]): Promise<Event[]> {
  return watch(await mux.run(params)).ended()
}

export function ofType<T extends EventType>(events: Event[], type: T): EventOf<T>[] {
  return events.filter((event): event is EventOf<T> => event.type === type)
}

/** The only event of this type. */
export function one<T extends EventType>(events: Event[], type: T): EventOf<T> {
  const found = ofType(events, type)
  if (found.length !== 1) throw new Error(`${found.length} ${type} among: ${describeEvents(events)}`)
  return found[0]!
}

/** Returns the text streamed in the main lane, without discarded messages. */
export function streamedText(events: Event[]): string {
  const withdrawn = new Set(ofType(events, 'message_discarded').map(event => event.messageId))
  return ofType(events, 'assistant_text')
    .filter(event => event.parent === undefined && !withdrawn.has(event.messageId ?? ''))
    .map(event => event.delta)
    .join('')
}

/** Checks what holds for every run that a client started. */
function checkShape(events: Event[]): void {
  const first = events[0]!
  expect(first.type).toBe('run_queued')
  expect(events.filter(event => isTerminal(event.type))).toEqual([events.at(-1)])
  expect(events.filter(event => event.type === 'unparsed')).toEqual([])
  expect(ofType(events, 'notice').filter(event => !knownNotices.test(event.kind))).toEqual([])
  // Seqs rise but have gaps: events of prompts that are queued behind this run come between its own.
  expect(events.map(event => event.seq)).toEqual([...new Set(events.map(event => event.seq))].sort((a, b) => a - b))
}

const isTerminal = (type: string) => (terminalTypes as readonly string[]).includes(type)

// Frames that have no event of their own.
const knownNotices =
  /command_lifecycle|system\/status|background_tasks_changed|thinking_tokens|informational|model_refusal|conversation_reset/

function describeEvents(events: Event[]): string {
  return events
    .map(event => (event.type === 'failed' ? `failed(${JSON.stringify(event.failure)})` : event.type))
    .join(' ')
}
