// `npm run test:claude`: the daemon against the real Claude Code and the Messages API stand-in, with no network but
// loopback. Everything runs inside one network namespace: vitest, the stand-in, the daemon, Claude Code. Where no such
// namespace can be made, the suite is skipped and says so. `--claude-version X` chooses the version of Claude Code, by
// default the newest. Other arguments go to vitest.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readArguments } from './arguments.mjs'
import { installClaude } from './install.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { version: wanted, rest } = readArguments(process.argv.slice(2))
const namespace = findNamespace()
if (!namespace) {
  console.log('\nSKIPPED: the suite against the real Claude Code.')
  console.log(
    'It needs a network namespace with loopback only: Linux with `unshare` and `ip` (packages util-linux, iproute2)',
  )
  console.log('and leave to make one (root with CAP_SYS_ADMIN, or user namespaces).\n')
  process.exit(0)
}
process.exitCode = runIn(namespace, installClaude(wanted))

/** Returns the command that runs its arguments in a new network namespace; undefined if that is not possible. */
function findNamespace() {
  if (process.platform !== 'linux') return undefined
  const ways = ['-rn', '-n'].map(flags => ['unshare', flags, 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'])
  return ways.find(([command, ...args]) => spawnSync(command, [...args, 'true']).status === 0)
}

function runIn([command, ...args], { claude, version }) {
  const directory = mkdtempSync(join(tmpdir(), 'muxd-test-claude-'))
  try {
    const vitest = join(root, 'node_modules/vitest/vitest.mjs')
    const run = [process.execPath, vitest, 'run', '--config', 'test/claude/vitest.config.ts', ...rest]
    // A new environment, so that nothing of the user's own Claude Code (configuration, keys, variables) gets in.
    const env = {
      PATH: process.env.PATH,
      HOME: directory,
      TMPDIR: directory,
      LANG: 'C.UTF-8',
      TERM: process.env.TERM ?? 'dumb',
      ...(process.env.CI && { CI: process.env.CI }),
      ...(process.env.MUXD_TEST_SEED && { MUXD_TEST_SEED: process.env.MUXD_TEST_SEED }),
      MUXD_TEST_CLAUDE_BIN: claude,
      MUXD_TEST_CLAUDE_VERSION: version,
    }
    return spawnSync(command, [...args, ...run], { cwd: root, env, stdio: 'inherit' }).status ?? 1
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
