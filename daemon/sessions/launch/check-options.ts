import type { AgentOptions } from '../../../protocol/index.ts'
import { type Agent, OptionRefused } from '../../agents/agent.ts'
import type { Config } from '../../config.ts'
import { paramName } from '../../rpc/param-name.ts'
import { RpcError } from '../../rpc/rpc-error.ts'
import { checkConfined, checkWorkingDirectory } from './working-directory.ts'

/**
 * Checks the options of a session beyond their schema. Refuses values that would not reach the process unchanged, paths
 * outside the allowed roots, and options that the agent refuses. Returns the options to keep, with directories
 * resolved. `pointer` is the JSON pointer of the options in the call's params. Throws `RpcError`.
 */
export function checkOptions(
  agent: Pick<Agent, 'checkOptions'>,
  options: AgentOptions,
  cwd: string,
  pointer: string,
  { allowRoots, allowBypassPermissions }: Config,
): AgentOptions {
  checkStrings(options, pointer)
  try {
    return agent.checkOptions(options, cwd, {
      allowBypassPermissions,
      isConfined: allowRoots.length > 0,
      checkFile: (path, at) => checkConfined(path, allowRoots, pointer + at),
      checkDirectory: (path, at) => checkWorkingDirectory(path, allowRoots, pointer + at),
    })
  } catch (error) {
    if (!(error instanceof OptionRefused)) throw error
    const { message, expected } = error
    const path = pointer + error.pointer
    if (expected !== undefined) throw invalid(path, expected, message)
    throw new RpcError('forbidden', `${paramName(path)}: ${message}`)
  }
}

/** Refuses NUL characters. Arguments and environment variables end at a NUL, so the rest would be lost silently. */
function checkStrings(value: unknown, pointer: string) {
  if (typeof value === 'string' && value.includes('\0')) {
    throw invalid(pointer, 'no NUL character', 'a NUL character would end it')
  }
  if (typeof value !== 'object' || value === null) return
  for (const [name, each] of Object.entries(value)) checkStrings(each, `${pointer}/${name}`)
}

const invalid = (path: string, expected: string, problem: string) =>
  new RpcError('invalid_params', `${paramName(path)}: ${problem}`, { path, expected })
