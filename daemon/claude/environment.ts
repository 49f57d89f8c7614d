/**
 * The environment of a Claude Code process: the daemon's own (so that `ANTHROPIC_*`, proxies and the user's variables
 * work), without muxd's and without those that a surrounding Claude Code sets for what it starts, plus the session's.
 */
export function claudeEnvironment(
  daemon: NodeJS.ProcessEnv,
  session: Record<string, string> | undefined,
  tmpDir: string,
): Record<string, string> {
  const inherited = Object.entries(daemon).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !isWithheld(entry[0]),
  )
  return {
    TERM: 'xterm-256color',
    ...Object.fromEntries(inherited),
    NO_COLOR: '1',
    CLAUDECODE: '',
    TMPDIR: tmpDir,
    ...session,
  }
}

const isWithheld = (name: string) => isMuxd(name) || surroundingClaude.has(name) || terminalSize.has(name)

const isMuxd = (name: string) => name.startsWith('MUXD_') && !name.startsWith('MUXD_SIMULATOR_')

const surroundingClaude = new Set([
  'CLAUDECODE',
  'CLAUDE_CODE_ENTRYPOINT',
  'CLAUDE_CODE_SESSION_ID',
  'CLAUDE_CODE_SSE_PORT',
  'CLAUDE_CODE_EXECPATH',
  'CLAUDE_CODE_CHILD_SESSION',
  'CLAUDE_CODE_PARENT_SESSION_ID',
  'CLAUDE_CODE_REMOTE_SESSION_ID',
  'CLAUDE_ENV_FILE',
  'CLAUDE_PROJECT_DIR',
])

// Of the daemon's terminal, not of the process's PTY.
const terminalSize = new Set(['COLUMNS', 'LINES'])
