import { useEffect, useState } from 'preact/hooks'
import type { FrameEvent, Mux } from '../../sdk/browser.ts'

/** The slash commands and models that Claude Code reports for a session. */
export interface Capabilities {
  commands: readonly SlashCommand[]
  models: readonly { value: string; name: string }[]
}

export interface SlashCommand {
  name: string
  description: string
  argumentHint: string
}

const noCapabilities: Capabilities = { commands: [], models: [] }

/** The capabilities of the newest process, read when the user is about to use them. */
export function useCapabilities(mux: Mux, session: string, startedAt: number | undefined) {
  const [known, setKnown] = useState<{ capabilities: Capabilities; of: number | undefined }>()
  const [uses, setUses] = useState(0)
  const isCurrent = known !== undefined && (startedAt === undefined || known.of === startedAt)
  useEffect(() => {
    if (uses === 0 || isCurrent) return
    const stop = new AbortController()
    readCapabilities(mux, session, startedAt, stop.signal).then(
      // If the process has not answered yet, the next use reads again.
      capabilities => capabilities && setKnown({ capabilities, of: startedAt }),
      () => {
        // The prompt box works without them.
      },
    )
    return () => stop.abort()
  }, [uses, startedAt])
  return { known: known?.capabilities ?? noCapabilities, use: () => void (isCurrent || setUses(uses + 1)) }
}

/**
 * Reads the capabilities from the answer to `initialize`, which is among the first frames of each Claude Code process.
 * Uses the process started at `startedAt` (ms since epoch), or the oldest one. Undefined before the process has
 * answered.
 */
async function readCapabilities(
  mux: Mux,
  session: string,
  startedAt: number | undefined,
  signal: AbortSignal,
): Promise<Capabilities | undefined> {
  const read = (after: number, limit: number) =>
    mux.api.topic.read({ topic: `session/${session}/frames`, after, limit }, { signal })
  const { events } = await read(startedAt === undefined ? 0 : await placeBefore(startedAt, read), 5)
  for (const { frame } of events as FrameEvent[]) {
    const answer = record(record(record(frame)['response'])['response'])
    if (Array.isArray(answer['commands'])) return { commands: commandsIn(answer['commands']), models: modelsIn(answer) }
  }
  return undefined
}

/** Returns the seq after which the frames since `time` (ms since epoch) begin. Binary search over the log. */
async function placeBefore(
  time: number,
  read: (after: number, limit: number) => Promise<{ first: number; events: unknown[]; head: number }>,
): Promise<number> {
  const { first, head } = await read(0, 1)
  let before = first - 1
  let behind = head
  while (before < behind) {
    const middle = Math.floor((before + behind) / 2)
    const [frame] = (await read(middle, 1)).events as FrameEvent[]
    if (frame && frame.time < time) before = frame.seq
    else behind = middle
  }
  return before
}

const commandsIn = (commands: unknown[]): SlashCommand[] =>
  commands
    .map(record)
    .flatMap(({ name, description, argumentHint }) =>
      typeof name === 'string' ? [{ name, description: text(description), argumentHint: text(argumentHint) }] : [],
    )

const modelsIn = ({ models }: Record<string, unknown>): Capabilities['models'] =>
  list(models)
    .map(record)
    .flatMap(({ value, displayName }) =>
      typeof value === 'string' ? [{ value, name: text(displayName) || value }] : [],
    )

const record = (value: unknown) => (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
const text = (value: unknown) => (typeof value === 'string' ? value : '')
