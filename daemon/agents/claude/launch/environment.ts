import { isMuxds } from '../../../inherited-environment.ts'

/**
 * Returns the environment of a Claude Code process: the inherited variables (so that `ANTHROPIC_*`, proxies and the
 * user's variables work) without those of muxd and those that an outer Claude Code sets for the commands it starts,
 * plus the variables of the session.
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
 * Whether muxd or Claude Code marks processes with this variable. A session must not set it, because its process would
 * be taken for another one.
 */
export const isReserved = (name: string): boolean => isMuxds(name) || isSurroundings(name)

const isWithheld = (name: string) => isReserved(name) || terminalSize.has(name)

const isSurroundings = (name: string) =>
  surroundingClaude.has(name) || /^CLAUDE_CODE_(SESSION|CHILD|MESSAGING)_/.test(name)

// Measured by `test/claude/environment.test.ts`. MCP servers, hooks and agents get further variables.
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

// They describe the terminal of the daemon, not the PTY of the process.
const terminalSize = new Set(['COLUMNS', 'LINES'])
