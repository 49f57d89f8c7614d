import type { Session } from '../../../protocol/index.ts'
import type { Agent } from '../../agents/agent.ts'
import type { Config } from '../../config.ts'
import { RpcError } from '../../rpc/rpc-error.ts'
import { checkOptions } from './check-options.ts'
import { checkWorkingDirectory } from './working-directory.ts'

/** A process may not be started with the working directory or the options of its session. */
export class MayNotStart extends Error {
  override readonly name = 'MayNotStart'
}

/**
 * Checks the working directory and the options of a session again before each start of a process. Since the session was
 * created, a directory may have been removed or replaced by a link, and the configuration may allow less. `cwd` is
 * stored with its links resolved, so it must resolve to itself. Throws `MayNotStart`, whose message names the path or
 * option.
 */
export function checkStart(agent: Agent, { cwd, options }: Pick<Session, 'cwd' | 'options'>, config: Config): void {
  try {
    const leadsTo = checkWorkingDirectory(cwd, [], '/cwd')
    if (leadsTo !== cwd) throw new MayNotStart(`the directory ${cwd} was replaced: it leads to ${leadsTo} now`)
    checkWorkingDirectory(cwd, config.allowRoots, '/cwd')
    checkOptions(agent, options, cwd, '/options', config)
  } catch (error) {
    if (!(error instanceof RpcError)) throw error
    throw new MayNotStart(error.message, { cause: error })
  }
}
