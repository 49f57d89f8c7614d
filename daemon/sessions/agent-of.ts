import type { Agent } from '../agents/agent.ts'
import { RpcError } from '../rpc/rpc-error.ts'

/** The agents of a daemon by kind. */
export type Agents = ReadonlyMap<string, Agent>

/**
 * Returns the agent of a session. Throws `agent_unavailable` for a kind that this daemon lacks: another version of muxd
 * may have created the session.
 */
export function agentOf<Each>(agents: ReadonlyMap<string, Each>, kind: string): Each {
  const agent = agents.get(kind)
  if (agent) return agent
  const kinds = kindsOf(agents)
  throw new RpcError('agent_unavailable', `this muxd has no agent ${JSON.stringify(kind)}, it has ${kinds}`, {
    agent: kind,
    tried: [],
    install: `a muxd that has the agent ${kind}`,
  })
}

/** Throws `invalid_params` if this daemon lacks the kind of agent that a caller asks for. */
export function checkAgentKind(agents: Agents, kind: string, method: string, pointer: string): void {
  if (agents.has(kind)) return
  const expected = kindsOf(agents)
  throw new RpcError('invalid_params', `${method}: agent must be ${expected}, not ${JSON.stringify(kind)}`, {
    path: `${pointer}/agent`,
    expected,
  })
}

const kindsOf = (agents: ReadonlyMap<string, unknown>) =>
  [...agents.keys()].map(kind => JSON.stringify(kind)).join(' or ')
