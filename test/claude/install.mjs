import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const packageName = '@anthropic-ai/claude-code'

/**
 * Installs Claude Code outside the repository, each version in its own directory, unless it is there. Returns the path
 * of its executable and its version. `wanted` defaults to the newest version of the registry. With
 * `MUXD_TEST_CLAUDE_DIR`, that directory is used instead; it must hold the wanted version. Throws when there is no
 * working executable, or one of another version.
 */
export function installClaude(wanted) {
  const given = process.env.MUXD_TEST_CLAUDE_DIR
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'muxd-test-claude')
  const version = given ? wanted : (wanted ?? newest(cache))
  const directory = given || join(cache, version)
  mkdirSync(directory, { recursive: true })
  const claude = findExecutable(directory) ?? install(directory, version ?? 'latest')
  const found = claude && versionOf(claude)
  if (!found) throw new Error(`no working Claude Code in ${directory}; remove it and try again`)
  if (version && found !== version) throw new Error(`Claude Code in ${directory} is ${found}, expected ${version}`)
  console.log(`Claude Code: ${found}, ${claude}`)
  return { claude, version: found }
}

/**
 * Returns the latest version of the registry, or the newest installed one when the registry cannot be reached. Throws
 * when there is neither.
 */
function newest(cache) {
  const asked = spawnSync('npm', ['view', `${packageName}@latest`, 'version', '--prefer-online', '--fetch-retries=0'], {
    encoding: 'utf8',
  })
  const latest = asked.status === 0 ? asked.stdout.trim() : ''
  if (isVersion(latest)) return latest
  const installed = existsSync(cache) ? readdirSync(cache).filter(isVersion).sort(byVersion) : []
  if (installed.length === 0) {
    throw new Error(`the registry does not tell the newest Claude Code, and none is in ${cache}:\n${asked.stderr}`)
  }
  console.log(`the registry does not tell the newest Claude Code; the newest that is installed is ${installed.at(-1)}`)
  return installed.at(-1)
}

export const isVersion = text => /^\d+\.\d+\.\d+$/.test(text)

/** Compares versions for `sort`. */
export const byVersion = (one, other) => one.localeCompare(other, 'en', { numeric: true })

function install(directory, version) {
  console.log(`installing ${packageName}@${version} into ${directory} (about 380 MB, once)`)
  // The executable comes in its own package for this platform, so the install script that links it is not needed.
  const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']
  spawnSync('npm', ['install', '--prefix', directory, ...options, `${packageName}@${version}`], { stdio: 'inherit' })
  return findExecutable(directory)
}

function findExecutable(directory) {
  const packages = join(directory, 'node_modules', '@anthropic-ai')
  if (!existsSync(packages)) return undefined
  // On a musl system both variants may be installed; only one of them runs.
  return readdirSync(packages)
    .filter(name => name.startsWith(`claude-code-${process.platform}-${process.arch}`))
    .map(name => join(packages, name, 'claude'))
    .find(versionOf)
}

/** Returns the version that the executable prints; undefined when it does not run. */
function versionOf(claude) {
  const { status, stdout } = spawnSync(claude, ['--version'], { env: { PATH: process.env.PATH }, encoding: 'utf8' })
  return status === 0 ? /^\d+\.\d+\.\d+/.exec(stdout)?.[0] : undefined
}
