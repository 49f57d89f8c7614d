import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * Installs Claude Code outside the repository, where it is not there yet, and returns the path of its executable.
 * `MUXD_TEST_CLAUDE_DIR` says where; remove the folder to get a newer version.
 */
export function installClaude() {
  const directory =
    process.env.MUXD_TEST_CLAUDE_DIR ||
    join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'muxd-test-claude')
  mkdirSync(directory, { recursive: true })
  let claude = findExecutable(directory)
  if (!claude) {
    console.log(`installing @anthropic-ai/claude-code@latest into ${directory} (about 380 MB, once)`)
    // The executable comes in a package of its own for this platform; the install script that links it is not needed.
    const install = [
      'install',
      '--prefix',
      directory,
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      '--loglevel=error',
    ]
    spawnSync('npm', [...install, '@anthropic-ai/claude-code@latest'], { stdio: 'inherit' })
    claude = findExecutable(directory)
  }
  const version = claude && spawnSync(claude, ['--version'], { env: { PATH: process.env.PATH }, encoding: 'utf8' })
  if (version?.status !== 0) throw new Error(`no working Claude Code in ${directory}; remove it and try again`)
  console.log(`Claude Code: ${version.stdout.trim()}, ${claude}`)
  return claude
}

function findExecutable(directory) {
  const packages = join(directory, 'node_modules', '@anthropic-ai')
  let names = []
  try {
    names = readdirSync(packages)
  } catch {
    return undefined
  }
  // On a musl system both variants may be installed; only one of them runs.
  return names
    .filter(name => name.startsWith(`claude-code-${process.platform}-${process.arch}`))
    .map(name => join(packages, name, 'claude'))
    .find(path => spawnSync(path, ['--version'], { env: { PATH: process.env.PATH } }).status === 0)
}
