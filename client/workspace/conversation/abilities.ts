import type { FrameEvent, Mux } from '../../browser.ts'

/** What Claude Code says that it understands in this session: its slash commands and the models it knows. */
export interface Abilities {
  commands: readonly SlashCommand[]
  models: readonly { value: string; name: string }[]
}

export interface SlashCommand {
  name: string
  description: string
  argumentHint: string
}

export const noAbilities: Abilities = { commands: [], models: [] }

/**
 * Claude Code tells it in its answer to `initialize`, which is among the first frames of each of its processes. Nothing
 * is known before the first.
 */
export async function readAbilities(mux: Mux, session: string, signal: AbortSignal): Promise<Abilities> {
  const { events } = await mux.api.topic.read({ topic: `session/${session}/frames`, after: 0, limit: 5 }, { signal })
  for (const { frame } of events as FrameEvent[]) {
    const answer = record(record(record(frame)['response'])['response'])
    if (!Array.isArray(answer['commands'])) continue
    return {
      commands: answer['commands']
        .map(record)
        .flatMap(({ name, description, argumentHint }) =>
          typeof name === 'string' ? [{ name, description: text(description), argumentHint: text(argumentHint) }] : [],
        ),
      models: list(answer['models'])
        .map(record)
        .flatMap(({ value, displayName }) =>
          typeof value === 'string' ? [{ value, name: text(displayName) || value }] : [],
        ),
    }
  }
  return noAbilities
}

const record = (value: unknown) => (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
const text = (value: unknown) => (typeof value === 'string' ? value : '')
