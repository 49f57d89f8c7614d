/**
 * The environment of a Claude Code process: what it inherits of the daemon's own (so that `ANTHROPIC_*`, proxies and the
 * user's variables work), without muxd's and without those that a surrounding Claude Code sets for what it starts, plus
 * the session's.
 */
export function claudeEnvironment(
  inherited: NodeJS.ProcessEnv,
  session: Record<string, string> | undefined,
  tmpDir: string,
): Record<string, string> {
  const passed = Object.entries(inherited).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !isWithheld(entry[0]),
  )
  return {
    TERM: 'xterm-256color',
    ...Object.fromEntries(passed),
    NO_COLOR: '1',
    CLAUDECODE: '',
    TMPDIR: tmpDir,
    ...session,
  }
}

/**
 * What may be inherited of the daemon's environment: all of it, or where there is a list of names (`ANTHROPIC_*` for
 * all that begin so) those alone. What the simulator needs is muxd's own affair.
 */
export function inheritable(daemon: NodeJS.ProcessEnv, allow: readonly string[] | undefined): NodeJS.ProcessEnv {
  if (allow === undefined) return daemon
  const isAllowed = (name: string) =>
    isSimulators(name) || allow.some(each => (each.endsWith('*') ? name.startsWith(each.slice(0, -1)) : name === each))
  return Object.fromEntries(Object.entries(daemon).filter(([name]) => isAllowed(name)))
}

/**
 * Names that muxd or Claude Code use for marks of their own: who sets one makes a process pass for what it is not. No
 * session may.
 */
export const isReserved = (name: string): boolean => isMuxds(name) || isSurroundings(name)

const isWithheld = (name: string) => isReserved(name) || terminalSize.has(name)

const isMuxds = (name: string) => name.startsWith('MUXD_') && !isSimulators(name)

const isSimulators = (name: string) => name.startsWith('MUXD_SIMULATOR_')

const isSurroundings = (name: string) =>
  surroundingClaude.has(name) || /^CLAUDE_CODE_(SESSION|CHILD|MESSAGING)_/.test(name)

// Measured (`test/claude/environment.test.ts`); MCP servers, hooks and agents get further ones.
const surroundingClaude = new Set([
  'AI_AGENT',
  'CLAUDECODE',
  'CLAUDE_AGENT_SDK_VERSION',
  'CLAUDE_CODE_ENTRYPOINT',
  'CLAUDE_CODE_EXECPATH',
  'CLAUDE_CODE_LAUNCHED_BY_SESSION_IDS',
  'CLAUDE_CODE_PARENT_SESSION_ID',
  'CLAUDE_CODE_REMOTE_SESSION_ID',
  'CLAUDE_CODE_SSE_PORT',
  'CLAUDE_EFFORT',
  'CLAUDE_ENV_FILE',
  'CLAUDE_JOB_DIR',
  'CLAUDE_PID',
  'CLAUDE_PLUGIN_DATA',
  'CLAUDE_PLUGIN_ROOT',
  'CLAUDE_PROJECT_DIR',
])

// Of the daemon's terminal, not of the process's PTY.
const terminalSize = new Set(['COLUMNS', 'LINES'])
