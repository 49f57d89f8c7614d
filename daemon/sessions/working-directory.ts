import { realpathSync, statSync } from 'node:fs'
import { isAbsolute, relative, sep } from 'node:path'
import { RpcError } from '../rpc/rpc-error.ts'

/**
 * Checks where a session is to run: an absolute path of a directory, inside one of the allowed roots when there are
 * any. Symbolic links are resolved before the comparison, and the resolved path is what is used. Throws
 * `invalid_params` with `pointer`, the place of the value in the call's params.
 */
export function checkWorkingDirectory(cwd: string, allowRoots: readonly string[], pointer: string): string {
  const refuse = (expected: string, problem: string) =>
    new RpcError('invalid_params', `${pointer}: ${JSON.stringify(cwd)} ${problem}`, { path: pointer, expected })

  if (!isAbsolute(cwd)) throw refuse('an absolute path', 'is not an absolute path')
  let directory: string
  try {
    directory = realpathSync(cwd)
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw refuse('an existing directory', missing ? 'does not exist' : `cannot be entered: ${(error as Error).message}`)
  }
  if (!statSync(directory).isDirectory()) throw refuse('a directory', 'is not a directory')
  if (allowRoots.length > 0 && !allowRoots.some(root => isInside(directory, root))) {
    const roots = allowRoots.join(', ')
    throw refuse(`a directory in ${roots}`, `is outside the directories in which sessions may run (${roots})`)
  }
  return directory
}

function isInside(directory: string, root: string): boolean {
  let resolved: string
  try {
    resolved = realpathSync(root)
  } catch {
    return false
  }
  const path = relative(resolved, directory)
  return path === '' || (path !== '..' && !path.startsWith(`..${sep}`) && !isAbsolute(path))
}
