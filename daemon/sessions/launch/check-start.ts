import type { Session } from '../../../protocol/index.ts'
import type { Agent } from '../../agents/agent.ts'
import type { Config } from '../../config.ts'
import { RpcError } from '../../rpc/rpc-error.ts'
import { checkOptions } from './check-options.ts'
import { checkWorkingDirectory } from './working-directory.ts'

/** A process may not be started where its session is to run. */
export class MayNotStart extends Error {
  override readonly name = 'MayNotStart'
}

/**
 * Checks the places that a session names once more, before each start of a process: since the session was made a directory
 * may have gone or been replaced by a link, and the configuration may allow less. `cwd` is kept with its links resolved, so
 * it must still lead to itself. Throws `MayNotStart`, which names the directory.
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
