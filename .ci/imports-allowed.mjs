// Compares the imports of the files with the table of allowed imports.
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'

/** Returns a text for each import that the table does not allow, and for each part of the table that no file needs. */
export function findForbidden(allowed, files, graph) {
  const problems = []
  /** For each entry that matches a file: the names of its list that an import needs. */
  const needed = new Map()
  const own = new Set(files)
  for (const { source, dependencies } of graph.modules.filter(each => own.has(each.source))) {
    const name = entryOf(source, allowed)
    if (name === undefined) {
      problems.push(`${source}: the table has no entry for ${dirname(source)}`)
      continue
    }
    if (!needed.has(name)) needed.set(name, new Set())
    for (const dependency of dependencies) {
      const target = targetOf(dependency)
      if (target === dirname(source)) continue
      const covering = allowed[name].filter(pattern => covers(pattern, target))
      for (const pattern of covering) needed.get(name).add(pattern)
      if (covering.length === 0)
        problems.push(`${source} imports ${dependency.module}: the entry '${name}' does not list '${target}'`)
    }
  }
  for (const [name, patterns] of Object.entries(allowed)) {
    const used = needed.get(name)
    if (!used) problems.push(`the entry '${name}' matches no file. Remove it`)
    else
      for (const pattern of patterns)
        if (!used.has(pattern))
          problems.push(`the entry '${name}' lists '${pattern}', which it does not need. Remove it`)
  }
  return problems
}

/** The most specific entry: that of the file, of its folder, or of the nearest folder above with `/**`. */
function entryOf(file, allowed) {
  if (file in allowed) return file
  const folder = dirname(file)
  if (folder in allowed) return folder
  for (let above = folder; above !== '.'; above = dirname(above)) if (`${above}/**` in allowed) return `${above}/**`
  return undefined
}

/** What an import leads to: a folder, `npm:PACKAGE` or `node:`. */
function targetOf({ module, resolved, coreModule }) {
  if (coreModule) return 'node:'
  if (module.startsWith('.') || (existsSync(resolved) && !resolved.includes('node_modules/'))) return dirname(resolved)
  return `npm:${module
    .split('/')
    .slice(0, module.startsWith('@') ? 2 : 1)
    .join('/')}`
}

function covers(pattern, target) {
  if (pattern === 'npm:*') return target.startsWith('npm:')
  return pattern === target || (pattern.endsWith('/**') && `${target}/`.startsWith(pattern.slice(0, -2)))
}
