import type { Run, Session } from '../../protocol/index.ts'
import { limits } from '../../protocol/limits.ts'
import type { EventRow } from '../store/store.ts'
import { cutEvent } from '../topics/logs/cut-event.ts'

/** A message to a target. `body` is the JSON; the rest is for a command's environment. */
export interface Message {
  event: string
  session: string
  run: string
  body: string
}

/**
 * Creates the message with the body `{ event, session, run }`: the event as a subscriber gets it, and as much of the
 * session and the run as tells a person what it is about.
 */
export function createMessage(row: EventRow, id: string, session: Session | undefined, run: Run | undefined): Message {
  const aboutSession = {
    session: id,
    title: session?.title ?? '',
    cwd: session?.cwd ?? '',
    labels: session?.labels ?? {},
  }
  const event = cutEvent(row.text, limits.maxEventBytes)
  const body = `{"event":${event},"session":${JSON.stringify(aboutSession)},"run":${JSON.stringify(run ? about(run) : null)}}`
  return { event: row.type, session: id, run: row.run ?? '', body }
}

const about = ({ run, prompt, origin, startedAt, endedAt }: Run) => ({
  run,
  prompt: prompt.length > promptCharacters ? `${prompt.slice(0, promptCharacters)}…` : prompt,
  origin,
  startedAt,
  endedAt,
})

const promptCharacters = 1_000
