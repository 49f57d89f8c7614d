import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Command } from 'commander'
import { connect, type DaemonStatus, homeDirectory, type Mux, readDaemonInfo, type Session } from '../../sdk/index.ts'
import { socketDirectory } from '../../sdk/node/daemon-json.ts'
import { protocolVersion } from '../../../protocol/wire.ts'
import { sdkVersion } from '../../sdk/version.ts'
import { acting, command } from '../command/command.ts'
import { type ConfigLook, lookAtConfig } from '../daemon/config-check.ts'
import { type ExitCode, exitCodes } from '../errors/exit.ts'
import { checkDatabase, checkLock, checkSqlite, type Finding } from '../daemon/home-checks.ts'
import { diskProblem, homeProblem } from '../daemon/home-problem.ts'
import { colorsFor, printJson, printWrapped } from '../screen/output.ts'
import { ptyHostOf } from '../render/status.ts'
import { oneLine } from '../screen/text.ts'
import type { CommonOptions } from '../command/with-mux.ts'

export function declareDoctor(program: Command): void {
  command(program, 'doctor', 'check the installation').action(acting(doctor))
}

/** `muxd doctor`: checks what muxd needs. Starts nothing and changes nothing. */
async function doctor(options: CommonOptions): Promise<ExitCode> {
  const home = homeDirectory(options.home)
  const daemon = lookAtDaemon(home, options)
  const config = lookAtConfig(home)
  const isElsewhere = options.url !== undefined
  const checks: Record<string, () => Finding | Promise<Finding>> = {
    node: checkNode,
    home: () => checkHome(home),
    config: async () => configOf(await config),
    daemon: async () => (await daemon).daemon,
    lock: async () => (isElsewhere ? elsewhere : checkLock(home, (await daemon).answers)),
    // After the daemon has answered, so that it is not in the middle of its start.
    database: async () => (isElsewhere ? elsewhere : daemon.then(() => checkDatabase(home))),
    'pty-host': async () => (await daemon)['pty-host'],
    sessions: async () => (await daemon).sessions,
    claude: async () => (await daemon).claude ?? checkClaude(await config),
    shell: checkShell,
    'node-pty': () => checkModule('node-pty'),
    sqlite: checkSqlite,
  }
  const findings = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => ({ name, ...(await check()) })),
  )
  if (options.json) await printJson({ ok: findings.every(({ ok }) => ok), checks: findings })
  else {
    const { green, red, dim } = colorsFor(process.stdout)
    for (const { name, ok, detail, fix } of findings) {
      await printWrapped(`${ok ? green('✓') : red('✗')} ${name.padEnd(16)}${detail}`)
      if (fix) await printWrapped(`  ${' '.repeat(16)}${dim(`→ ${fix}`)}`)
    }
  }
  return findings.every(({ ok }) => ok) ? exitCodes.done : exitCodes.unavailable
}

function checkNode(): Finding {
  const { node } = process.versions
  const [major = 0, minor = 0] = node.split('.').map(Number)
  const ok = major > 20 || (major === 20 && minor >= 15)
  return { ok, detail: `Node ${node}`, ...(!ok && { fix: 'install Node 20.15 or newer' }) }
}

async function checkHome(home: string): Promise<Finding> {
  const problem = await homeProblem(home)
  if (problem) return { ok: false, ...problem }
  if (!existsSync(home)) return { ok: true, detail: `${home} will be made` }
  const full = await diskProblem(home)
  return full ? { ok: false, ...full } : { ok: true, detail: `${home} (mode 0700)` }
}

/** Checks the daemon, and through it the pty-host, the sessions and Claude Code. */
async function lookAtDaemon(
  home: string,
  { url, token }: CommonOptions,
): Promise<Record<'daemon' | 'pty-host' | 'sessions', Finding> & { claude?: Finding; answers: boolean }> {
  try {
    const info = url === undefined ? await readDaemonInfo(home) : { url, token, pid: undefined }
    if (!info)
      return {
        daemon: { ok: true, detail: 'not running; it starts with the first command' },
        ...(await withoutDaemon(home)),
      }
    const mux = await connect({ url: info.url, token: info.token, answers: false })
    try {
      const { version, protocol, pid, ptyHost, node, agents } = await mux.api.daemon.status({})
      const detail = `muxd ${version}, protocol ${protocol}, at ${info.url}, pid ${pid}, Node ${node}`
      const isSpoken = protocol === protocolVersion
      const isThis = version === sdkVersion && isSpoken
      const fix = `this is muxd ${sdkVersion}, protocol ${protocolVersion}: muxd restart`
      return {
        answers: true,
        daemon: { ok: isThis, detail, ...(!isThis && { fix }) },
        'pty-host': held(ptyHost),
        sessions: isSpoken ? await lookAtSessions(mux) : otherProtocol,
        claude: claudeOf(agents),
      }
    } finally {
      mux.close()
    }
  } catch (error) {
    const detail = oneLine((error as Error).message)
    return { daemon: { ok: false, detail, fix: 'muxd stop, or see muxd logs' }, ...(await withoutDaemon(home)) }
  }
}

/** Claude Code as the running daemon finds it, with the PATH and variables of the daemon's start. */
function claudeOf(agents: DaemonStatus['agents']): Finding {
  const claude = agents.find(({ kind }) => kind === 'claude')
  return claude
    ? { ok: true, detail: `${claude.path}: ${oneLine(claude.version)}, as the running daemon finds it` }
    : {
        ok: false,
        detail: 'the running daemon does not find Claude Code',
        fix: `${installClaude}; then: muxd restart, which gives the daemon the PATH of this terminal`,
      }
}

function configOf(look: ConfigLook): Finding {
  if (!('problem' in look)) return { ok: true, detail: 'config.json and the environment are valid' }
  return { ok: false, detail: oneLine(look.problem), fix: 'correct it: no daemon starts with it' }
}

const otherProtocol: Finding = { ok: true, detail: 'not looked at: the daemon speaks another protocol' }

const elsewhere: Finding = { ok: true, detail: 'not looked at: --url names a daemon elsewhere' }

const held = (ptyHost: DaemonStatus['ptyHost']): Finding => ({
  ok: ptyHost.state !== 'lost',
  detail: ptyHostOf(ptyHost),
  ...(ptyHost.state === 'lost' && { fix: 'see muxd logs' }),
})

/** Checks for sessions that an error inside muxd left unusable. */
async function lookAtSessions(mux: Mux): Promise<Finding> {
  const unusable: Session[] = []
  let count = 0
  let after: string | undefined
  do {
    const page = await mux.api.session.list({ limit: 1_000, ...(after !== undefined && { after }) })
    count += page.sessions.length
    unusable.push(...page.sessions.filter(session => session.unusable))
    after = page.next
  } while (after !== undefined)
  const [first] = unusable
  if (!first) return { ok: true, detail: `${count}, all usable` }
  return {
    ok: false,
    detail: `${unusable.length} of ${count} unusable after an error inside muxd: ${first.session} (${oneLine(first.unusable!.reason)})`,
    fix: 'see muxd logs and report the error; an unusable session can be read, closed and deleted',
  }
}

const withoutDaemon = async (home: string) => ({
  answers: false,
  'pty-host': await alone(home),
  sessions: { ok: true, detail: 'not looked at: no daemon answers' },
})

/** Checks the pty-host without a daemon. One that holds sessions waits for the next daemon. */
async function alone(home: string): Promise<Finding> {
  try {
    const isThere = existsSync(join(await socketDirectory(home), 'holder.sock'))
    return { ok: true, detail: isThere ? 'waits for a daemon' : 'not running; it starts with the daemon' }
  } catch (error) {
    return {
      ok: false,
      detail: oneLine((error as Error).message),
      fix: 'restore that file, or remove it once nothing runs',
    }
  }
}

const installClaude =
  'npm install -g @anthropic-ai/claude-code, or name it with MUXD_CLAUDE_BIN or claudeBin in config.json'

async function checkClaude(look: ConfigLook): Promise<Finding> {
  const program = ('claudeBin' in look && look.claudeBin) || process.env['MUXD_CLAUDE_BIN'] || 'claude'
  const fix = installClaude
  try {
    const { stdout } = await promisify(execFile)(program, ['--version'], { timeout: 15_000 })
    const version = oneLine(stdout)
    const ok = /^([2-9]|\d{2,})\.\d/.test(version)
    return { ok, detail: `${program}: ${version}`, ...(!ok && { fix: 'Claude Code 2.0 or newer is needed' }) }
  } catch (error) {
    const { code, killed } = error as { code?: unknown; killed?: boolean }
    const why =
      code === 'ENOENT' ? 'not found' : killed ? 'did not answer --version in 15 s' : oneLine((error as Error).message)
    return { ok: false, detail: `${program}: ${why}`, fix }
  }
}

/** Checks the programs that start the processes of sessions. */
async function checkShell(): Promise<Finding> {
  const needed = ['sh', 'mkfifo', 'stty', 'env']
  const found = await Promise.all(
    needed.map(async name => {
      try {
        await promisify(execFile)('/bin/sh', ['-c', `command -v ${name}`])
        return true
      } catch {
        return false
      }
    }),
  )
  const missing = needed.filter((_, index) => !found[index])
  if (!missing.length) return { ok: true, detail: needed.join(', ') }
  return { ok: false, detail: `missing: ${missing.join(', ')}`, fix: 'install the coreutils of your system' }
}

/** Whether a module with a native part loads here. */
function checkModule(name: string): Finding {
  try {
    createRequire(import.meta.url)(name)
    return { ok: true, detail: 'loads' }
  } catch (error) {
    return { ok: false, detail: oneLine((error as Error).message).slice(0, 200), fix: `npm rebuild ${name}` }
  }
}
