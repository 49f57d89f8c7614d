import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access, realpath, stat } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { delimiter, isAbsolute, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { AgentUnavailable, type LocatedAgent } from '../../agent.ts'
import { claudeEnvironment } from './environment.ts'

const installHint = 'npm install -g @anthropic-ai/claude-code (or set MUXD_CLAUDE_BIN, --claude-bin)'
const oldestMajor = 2
const versionTimeoutMs = 15_000

/**
 * Returns a function that finds Claude Code and asks it for its version: only `configured` if given, else `claude` on
 * PATH and at the usual places. The function rejects with `AgentUnavailable`. It caches the answer until the file
 * changes, so it may be called before every start. Simultaneous calls share one answer and resolve in their order, so
 * prompts that wait for it do not overtake each other. Claude Code gets the environment `inherited`.
 */
export function createClaudeLocator(
  configured: string | undefined,
  environment: NodeJS.ProcessEnv,
  inherited: NodeJS.ProcessEnv = environment,
) {
  const known = new Map<string, { stamp: string; claude: LocatedAgent }>()

  let underWay: Promise<LocatedAgent> | undefined
  return () => (underWay ??= locate().finally(() => (underWay = undefined)))

  async function locate(): Promise<LocatedAgent> {
    const tried: string[] = []
    /** The problems of files that exist. */
    const problems: string[] = []
    for (const candidate of candidates(configured, environment)) {
      const stamp = await executableStamp(candidate)
      if (typeof stamp !== 'string') {
        tried.push(`${candidate}: ${stamp.problem}`)
        if (stamp.problem !== missing) problems.push(`${candidate} ${stamp.problem}`)
        continue
      }
      const remembered = known.get(candidate)
      if (remembered?.stamp === stamp) return remembered.claude
      const asked = await askVersion(candidate, inherited)
      if ('problem' in asked) {
        tried.push(`${candidate}: ${asked.problem}`)
        problems.push(`${candidate} ${asked.problem}`)
        continue
      }
      known.set(candidate, { stamp, claude: asked })
      return asked
    }
    throw new AgentUnavailable(
      `${problems.join('; ') || notFound(configured)}; to install it: ${installHint}`,
      tried,
      installHint,
    )
  }
}

const missing = 'does not exist'

function notFound(configured: string | undefined): string {
  if (configured === undefined) return 'Claude Code was not found'
  return `Claude Code was not found: ${configured} ${/[/\\]/.test(configured) ? missing : 'is not on PATH'}`
}

function candidates(configured: string | undefined, environment: NodeJS.ProcessEnv): string[] {
  if (configured !== undefined && /[/\\]/.test(configured)) return [resolve(configured)]
  const name = configured ?? 'claude'
  const onPath = (environment['PATH'] ?? '')
    .split(delimiter)
    .filter(isAbsolute)
    .map(directory => join(directory, name))
  const usual = ['.claude/local', '.local/bin', '.npm-global/bin'].map(place => join(homedir(), place, name))
  return [...new Set([...onPath, ...(configured === undefined ? usual : []), join('/usr/local/bin', name)])]
}

async function executableStamp(path: string): Promise<string | { problem: string }> {
  try {
    const facts = await stat(await realpath(path))
    if (!facts.isFile()) return { problem: 'is no file' }
    await access(path, constants.X_OK)
    return `${facts.ino} ${facts.size} ${facts.mtimeMs}`
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    return { problem: code === 'ENOENT' ? missing : code === 'EACCES' ? 'may not be executed' : String(error) }
  }
}

async function askVersion(path: string, inherited: NodeJS.ProcessEnv): Promise<LocatedAgent | { problem: string }> {
  try {
    const { stdout } = await promisify(execFile)(path, ['--version'], {
      env: claudeEnvironment(inherited, undefined, tmpdir()),
      timeout: versionTimeoutMs,
      killSignal: 'SIGKILL',
      maxBuffer: 64 * 1024,
    })
    const version = stdout.trim().split('\n')[0] ?? ''
    const found = /^(\d+)\.\d+\.\d+\S* \(Claude Code\b.*\)$/.exec(version)
    if (!found) return { problem: `is no Claude Code (its --version says ${JSON.stringify(version.slice(0, 80))})` }
    if (Number(found[1]) < oldestMajor)
      return { problem: `is too old (${version}; ${oldestMajor}.0.0 or newer is needed)` }
    return { path, version }
  } catch (error) {
    const reason = (error as { killed?: boolean }).killed
      ? `did not answer --version within ${versionTimeoutMs / 1000} s`
      : `--version failed: ${(error as Error).message.split('\n')[0]}`
    return { problem: reason }
  }
}
