/**
 * Returns one sentence with the solution if an installation does not fit this Node: a native module was built for
 * another version, or SQLite is missing. Returns undefined for any other error.
 */
export function wrongNodeProblem(error: unknown): string | undefined {
  const { message = '' } = (error ?? {}) as Partial<Error>
  return builtForAnother(message) ?? notInstalled(message) ?? notBuilt(message)
}

const { modules, node } = process.versions

function builtForAnother(message: string): string | undefined {
  const [, path, built] = /module '([^']+)'[^]*?NODE_MODULE_VERSION (\d+)/.exec(message) ?? []
  const [, place, name] = /^(.*)\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path ?? '') ?? []
  if (name === undefined) return undefined
  return (
    `${name} was built for another version of Node (its module version is ${built}, that of Node ${node} is ${modules}): ` +
    `npm rebuild --prefix ${place || '/'} ${name}`
  )
}

/**
 * The installation has no better-sqlite3: it was made with a Node that has `node:sqlite`, or without install scripts.
 */
function notInstalled(message: string): string | undefined {
  const [, place] = /^Cannot find module 'better-sqlite3'\nRequire stack:\n- (.*)\/index\.cjs$/m.exec(message) ?? []
  if (place === undefined) return undefined
  return `Node ${node} has no node:sqlite, and better-sqlite3 is not installed: use Node 22.13 or newer, or run npm ci --prefix ${place}`
}

function notBuilt(message: string): string | undefined {
  const [, place] =
    /^Could not locate the bindings file[^]*? (\/[^\n]*)\/node_modules\/better-sqlite3\//.exec(message) ?? []
  if (place === undefined) return undefined
  return `better-sqlite3 was installed without its install script: npm rebuild --prefix ${place} better-sqlite3`
}
