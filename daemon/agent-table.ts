import type { AvailableAgent } from '../protocol/index.ts'
import type { Agent, LocatedAgent } from './agents/agent.ts'

/** The agents of a daemon, and which of them it can start. */
export interface AgentTable {
  readonly agents: ReadonlyMap<string, Agent>
  /** The agents whose program was found when it was last looked for, in their order. */
  available(): AvailableAgent[]
  /** Looks for the programs of all agents. */
  locateAll(): Promise<void>
}

/** `locateAll` calls `onMissing` for each program that it does not find. */
export function createAgentTable(all: readonly Agent[], onMissing: (kind: string, error: unknown) => void): AgentTable {
  const located = new Map<string, LocatedAgent>()
  const remembering = (agent: Agent): Agent => ({
    ...agent,
    async locate() {
      try {
        const found = await agent.locate()
        located.set(agent.kind, found)
        return found
      } catch (error) {
        located.delete(agent.kind)
        throw error
      }
    },
  })
  const agents = new Map(all.map(agent => [agent.kind, remembering(agent)]))
  return {
    agents,
    available: () =>
      [...agents.keys()].flatMap(kind => {
        const found = located.get(kind)
        return found ? [{ kind, ...found }] : []
      }),
    async locateAll() {
      await Promise.all(
        [...agents.values()].map(agent => agent.locate().catch((error: unknown) => onMissing(agent.kind, error))),
      )
    },
  }
}
