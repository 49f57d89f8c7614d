import { defaultAgent, type Viewers } from '../../protocol/index.ts'
import { limits } from '../../protocol/limits.ts'
import { type Agent, AgentUnavailable } from '../agents/agent.ts'
import type { Handlers } from '../rpc/handlers.ts'
import { paramName } from '../rpc/param-name.ts'
import { RpcError } from '../rpc/rpc-error.ts'
import { UnknownRecord } from '../store/store.ts'
import { agentOf, type Agents, checkAgentKind } from './agent-of.ts'
import type { Sessions } from './sessions.ts'

/** The methods that act on sessions and runs. */
export function sessionHandlers(
  sessions: Sessions,
  agents: Agents,
  viewers: (session: string) => Viewers,
): Pick<Handlers, 'session' | 'run'> {
  return {
    session: {
      async create({ key: _key, ...spec }, { actor, keep }) {
        checkAgentKind(agents, spec.agent ?? defaultAgent, 'session.create', '')
        const begun = await sessions.checkImport(spec, '')
        return sessions.create({ spec, pointer: '', begun }, actor, keep)
      },
      update: ({ session, ...changes }, { actor }) => sessions.update(session, changes, actor),
      fork: ({ session, key: _key, ...naming }, { actor, keep }) => sessions.fork(session, naming, actor, keep),
      async importable({ cwd, limit = limits.defaultPageSize }) {
        return { conversations: await sessions.importable(cwd, limit) }
      },
      get: ({ session }) => sessions.get(session),
      viewers: ({ session }) => viewers(sessions.get(session).session),
      list({ limit = limits.defaultPageSize, ...filter }) {
        const found = known('/after', () => sessions.list({ ...filter, limit }))
        const { items, next } = page(found, limit, ({ cursor }) => cursor)
        return { sessions: items.map(({ session }) => session), ...next }
      },
      close: ({ session, force = false, sweep = false }, { actor }) => sessions.close(session, { force, sweep }, actor),
      async delete({ session, force = false }, { actor }) {
        await sessions.delete(session, force, actor)
        return {}
      },
    },

    run: {
      async start({ session, create, prompt, limits: runLimits }, { actor, keep }) {
        if (create) checkAgentKind(agents, create.agent ?? defaultAgent, 'run.start', '/create')
        checkPrompt(prompt)
        if ((session === undefined) === (create === undefined)) {
          throw new RpcError('invalid_params', 'exactly one of session and create is needed', {
            path: '/session',
            expected: 'either session or create',
          })
        }
        const begun = session === undefined ? await sessions.checkImport(create!, '/create') : undefined
        if (session !== undefined) await sessions.checkOwner(session)
        const kind = session === undefined ? (create!.agent ?? defaultAgent) : sessions.get(session).agent
        await refuseWithoutProgram(agentOf(agents, kind))
        const target = session ?? { spec: create!, pointer: '/create', ...(begun && { begun }) }
        return sessions.startRun(target, prompt, actor, keep, runLimits)
      },
      get: ({ run }) => sessions.getRun(run),
      list({ limit = limits.defaultPageSize, ...filter }) {
        const found = known('/after', () => sessions.listRuns({ ...filter, limit }))
        const { items, next } = page(found, limit, ({ run }) => run)
        return { runs: items, ...next }
      },
      wait: ({ run, timeoutMs }, { signal }) => sessions.waitForRun(run, signal, timeoutMs),
      move: ({ run, to }, { actor }) => sessions.moveRun(run, to, actor),
      cancel: ({ run, reason, mode = 'interrupt' }, { actor }) => sessions.cancelRun(run, actor, mode, reason),
    },
  }
}

function checkPrompt(prompt: string) {
  const refuse = (expected: string, problem: string) =>
    new RpcError('invalid_params', problem, { path: '/prompt', expected })
  if (prompt.trim() === '') throw refuse('more than white space', 'the prompt is empty')
  const bytes = Buffer.byteLength(prompt)
  if (bytes > limits.maxPromptBytes) {
    throw refuse(
      `at most ${limits.maxPromptBytes} bytes`,
      `the prompt has ${bytes} bytes, at most ${limits.maxPromptBytes} may be`,
    )
  }
}

async function refuseWithoutProgram(agent: Agent) {
  try {
    await agent.locate()
  } catch (error) {
    if (!(error instanceof AgentUnavailable)) throw error
    throw new RpcError(
      'agent_unavailable',
      error.message,
      { agent: agent.kind, tried: error.tried, install: error.install },
      { cause: error },
    )
  }
}

/** Runs `list`. Throws `invalid_params` for the param at `path` if the record that it names does not exist any more. */
export function known<T>(path: string, list: () => T): T {
  try {
    return list()
  } catch (error) {
    if (!(error instanceof UnknownRecord)) throw error
    throw new RpcError('invalid_params', `${paramName(path)}: ${error.message}`, {
      path,
      expected: '`next` of an earlier page',
    })
  }
}

/**
 * Returns the records of `found` for one answer, which ends with the record that passes `listPageBytes`. `next` is set
 * if there may be more.
 */
export function page<T>(found: T[], limit: number, idOf: (item: T) => string): { items: T[]; next: { next?: string } } {
  let bytes = 0
  const last = found.findIndex(item => (bytes += JSON.stringify(item).length) > limits.listPageBytes)
  const items = last < 0 ? found : found.slice(0, last + 1)
  const isLast = items.length === found.length && found.length < limit
  return { items, next: isLast ? {} : { next: idOf(items.at(-1)!) } }
}
