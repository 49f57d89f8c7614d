import type { FrameEvent, Mux } from '../../sdk/browser.ts'

/** What Claude Code says that it understands in this session: its slash commands and the models it knows. */
export interface Capabilities {
  commands: readonly SlashCommand[]
  models: readonly { value: string; name: string }[]
}

export interface SlashCommand {
  name: string
  description: string
  argumentHint: string
}

export const noCapabilities: Capabilities = { commands: [], models: [] }

/**
 * Claude Code tells it in its answer to `initialize`, which is among the first frames of each of its processes: of the
 * one that was started at `startedAt`, or of the oldest. Undefined before that has answered.
 */
export async function readCapabilities(
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

/** The place in the log of frames behind which are those that came since. */
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
