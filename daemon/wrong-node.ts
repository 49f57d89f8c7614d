/**
 * One sentence for a native module that was built for another version of Node, with the command that builds it anew;
 * undefined for any other error.
 */
export function wrongNodeProblem(error: unknown): string | undefined {
  const { message = '' } = (error ?? {}) as Partial<Error>
  const [, path, built] = /module '([^']+)'[^]*?NODE_MODULE_VERSION (\d+)/.exec(message) ?? []
  const [, place, name] = /^(.*)\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path ?? '') ?? []
  if (name === undefined) return undefined
  const { modules, node } = process.versions
  return (
    `${name} was built for another version of Node (its module version is ${built}, that of Node ${node} is ${modules}): ` +
    `npm rebuild --prefix ${place || '/'} ${name}`
  )
}
