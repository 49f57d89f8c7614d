import { realpathSync, statSync } from 'node:fs'
import { isAbsolute, relative, sep } from 'node:path'
import { paramName } from '../../rpc/param-name.ts'
import { RpcError } from '../../rpc/rpc-error.ts'

/**
 * Checks the working directory of a session: it must be an absolute path of a directory, inside one of the allowed
 * roots if there are any. Resolves symbolic links before the comparison, and returns the resolved path. Throws
 * `invalid_params` with `pointer`, the JSON pointer of the value in the call's params.
 */
export function checkWorkingDirectory(cwd: string, allowRoots: readonly string[], pointer: string): string {
  const refuse = (expected: string, problem: string) =>
    new RpcError('invalid_params', `${paramName(pointer)}: ${JSON.stringify(cwd)} ${problem}`, {
      path: pointer,
      expected,
    })

  if (!isAbsolute(cwd)) throw refuse('an absolute path', 'is not an absolute path')
  let directory: string
  try {
    directory = realpathSync(cwd)
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw refuse('an existing directory', missing ? 'does not exist' : `cannot be entered: ${(error as Error).message}`)
  }
  if (!statSync(directory).isDirectory()) throw refuse('a directory', 'is not a directory')
  if (allowRoots.length > 0) checkConfined(directory, allowRoots, pointer)
  return directory
}

/**
 * Checks that an absolute path exists and is inside one of `allowRoots` after links are resolved. Throws
 * `invalid_params`.
 */
export function checkConfined(path: string, allowRoots: readonly string[], pointer: string): void {
  const resolved = realPath(path)
  if (resolved !== undefined && allowRoots.some(root => isInside(resolved, root))) return
  const roots = allowRoots.join(', ')
  const problem =
    resolved === undefined ? 'does not exist' : `is outside the directories in which sessions may run (${roots})`
  throw new RpcError('invalid_params', `${paramName(pointer)}: ${JSON.stringify(path)} ${problem}`, {
    path: pointer,
    expected: `a place in ${roots}`,
  })
}

function isInside(path: string, root: string): boolean {
  const resolved = realPath(root)
  if (resolved === undefined) return false
  const way = relative(resolved, path)
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way))
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}
