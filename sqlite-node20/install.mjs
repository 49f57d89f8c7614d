// The `postinstall` script of muxd. Node 22.13 and newer have `node:sqlite`: there it does nothing. An older Node gets the
// package better-sqlite3, which is compiled or downloaded, in a tree of its own beside this file. npm offers no condition
// on the version of Node for a dependency, other than an `engines` field inside the package itself.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const directory = fileURLToPath(new URL('.', import.meta.url))
const require = createRequire(import.meta.url)

if (!hasNodeSqlite() && !hasBetterSqlite3()) install()

function hasNodeSqlite() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  return major > 23 || (major === 23 && minor >= 4) || (major === 22 && minor >= 13)
}

/** Whether the wanted version is here already and loads: a second `npm ci` then compiles nothing. */
function hasBetterSqlite3() {
  const wanted = require('./package.json').dependencies['better-sqlite3']
  try {
    if (require('better-sqlite3/package.json').version !== wanted) return false
    const Database = require('better-sqlite3')
    new Database(':memory:').close()
    return true
  } catch {
    return false
  }
}

function install() {
  // npm passes its options on in the environment. Those that say where it installs, or what, are about muxd.
  const isAboutMuxd =
    /^npm_config_(global|location|prefix|local_prefix|workspaces?|include_workspace_root|omit|include|save.*)$/i
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !isAboutMuxd.test(name)))
  const program = process.env.npm_execpath ?? ''
  const [command, ...args] = program.endsWith('npm-cli.js') ? [process.execPath, program, 'ci'] : ['npm', 'ci']
  const { status, error } = spawnSync(command, args, { cwd: directory, env, stdio: 'inherit' })
  if (error) console.error(`${command}: ${error.message}`)
  if (status !== 0)
    console.error(`better-sqlite3 could not be installed in ${directory}. Node 22.13 or newer does not need it.`)
  process.exitCode = status ?? 1
}
