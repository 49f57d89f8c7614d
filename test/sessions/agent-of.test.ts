import { describe, expect, it } from 'vitest'
import { agentOf, type Agents, checkAgentKind } from '../../daemon/sessions/agent-of.ts'

const agents = new Map([['claude', {}]]) as unknown as Agents

/** Returns what `work` throws. */
function thrownBy(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

describe('an agent that a daemon lacks', () => {
  it.each([
    ['session.create', ''],
    ['run.start', '/create'],
  ])('is an invalid param of %s, with the path and the agents that there are', (method, pointer) => {
    expect(thrownBy(() => checkAgentKind(agents, 'codex', method, pointer))).toMatchObject({
      kind: 'invalid_params',
      message: `${method}: agent must be "claude", not "codex"`,
      data: { path: `${pointer}/agent`, expected: '"claude"' },
    })
  })

  it('makes a session of it unavailable, with what is needed', () => {
    expect(thrownBy(() => agentOf(agents, 'codex'))).toMatchObject({
      kind: 'agent_unavailable',
      data: { agent: 'codex', tried: [], install: 'a muxd that has the agent codex' },
    })
  })
})
