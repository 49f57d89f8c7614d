import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Type, type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { parseDuration } from '../protocol/duration.ts'
import { limits } from '../protocol/limits.ts'
import { BadConfig, readConfigFile } from './config-file.ts'
import { distDirectory } from './dist.ts'
import { homePaths, refuseFile } from './home/home.ts'
import { logLevels } from './log/log.ts'
import { nearestName } from './nearest-name.ts'
import { NotificationTarget, problemOfTargets } from './notify/notification-target.ts'

/**
 * The settings. `config.json` in the home directory may contain any of them. Options of `muxd serve` and the
 * environment (`MUXD_HOME`, `MUXD_CLAUDE_BIN`) take precedence over the file.
 */
const ConfigFile = Type.Object(
  {
    /** TCP port; 0 picks a free one. */
    port: Type.Integer({ minimum: 0, maximum: 65_535 }),
    /** Address to listen on. Only loopback addresses are valid. */
    host: Type.Enum(['127.0.0.1', '::1', 'localhost']),
    /** Path or name of Claude Code's executable; absent: `claude` on PATH or in the usual directories. */
    claudeBin: Type.Optional(Type.String({ minLength: 1 })),
    /**
     * Uses the simulator in place of Claude Code, like `--simulate`. `--claude-bin` and its variable take precedence.
     */
    simulate: Type.Boolean(),
    /** Directories in and below which sessions may run; empty: all that the user may use. */
    allowRoots: Type.Array(Type.String({ minLength: 1 })),
    /** Maximum of simultaneous runs, not counting runs that wait for an answer. Further runs queue. */
    maxRuns: Type.Integer({ minimum: 1, maximum: 1_000 }),
    /** Bytes of memory that must be available to start a process; otherwise its run waits. 0: no check. */
    minFreeBytes: Type.Integer({ minimum: 0 }),
    /** A process is closed after this time without work; 0: after each run. */
    idleCloseMs: Type.Integer({ minimum: 0 }),
    /** Maximum of processes without work. Beyond it, the one that was unused for longest is closed. */
    maxIdleProcesses: Type.Integer({ minimum: 0, maximum: 1_000 }),
    /** How long a run that needs another process waits for background work in the current process. */
    backgroundWaitMs: Type.Integer({ minimum: 0 }),
    /** Time between a step of a cancel and the next, stronger step. */
    cancelGraceMs: Type.Integer({ minimum: 0 }),
    /** Time that a process that should exit has after its last result to write its transcript. */
    resultGraceMs: Type.Integer({ minimum: 0 }),
    /** A question is denied after no client that could answer it was connected for this time; 0: never. */
    unattendedMs: Type.Integer({ minimum: 0 }),
    /** Whether sessions may pass further command-line arguments to Claude Code. */
    allowArgs: Type.Boolean(),
    /** Whether sessions may use `permissionMode: bypassPermissions`. */
    allowBypassPermissions: Type.Boolean(),
    /** Names of the variables that Claude Code inherits (`ANTHROPIC_*` for all with that prefix); absent: all. */
    allowEnvironment: Type.Optional(
      Type.Array(Type.String({ pattern: '^([A-Za-z_][A-Za-z0-9_]*)?\\*?$', minLength: 1 })),
    ),
    /** Host header values accepted beside loopback names. */
    allowedHosts: Type.Array(Type.String({ minLength: 1 })),
    /** Origin header values accepted beside the daemon's own. */
    allowedOrigins: Type.Array(Type.String({ minLength: 1 })),
    /** A session is deleted after it was unused for this time; 0: never. */
    keepSessionsMs: Type.Integer({ minimum: 0 }),
    /** Limit of the size of all kept data. Beyond it, raw logs, then sessions are deleted, oldest first; 0: no limit. */
    keepTotalBytes: Type.Integer({ minimum: 0 }),
    /** How long the costs of runs are kept, even after their sessions are deleted; 0: for ever. */
    keepUsageMs: Type.Integer({ minimum: 0 }),
    /** `drop` deletes the raw logs of a session after it was unused for `rawLogAfterMs`. */
    rawLogs: Type.Enum(['keep', 'drop']),
    rawLogAfterMs: Type.Integer({ minimum: 0 }),
    /** Commands and webhooks that are notified of events. */
    notifications: Type.Array(NotificationTarget, { maxItems: 32 }),
    logLevel: Type.Enum([...logLevels]),
    /** `file`: to `log/` in the home directory, from which `muxd logs` reads. */
    logTo: Type.Enum(['stderr', 'file']),
    /** Size at which a log file is renamed to `….1` and a new one is started. */
    logMaxBytes: Type.Integer({ minimum: 1_024 }),
    /** Number of log files to keep, including the current one. */
    logFiles: Type.Integer({ minimum: 1, maximum: 100 }),
    /** For tests: checks results against the protocol before they are sent. */
    checkResults: Type.Boolean(),
  },
  { additionalProperties: false },
)
export type Config = Static<typeof ConfigFile> & {
  home: string
  /** The environment that processes inherit, as far as `allowEnvironment` permits (`inherited-environment.ts`). */
  environment: NodeJS.ProcessEnv
  /** The given options, and those of the environment, for the next daemon (`DaemonInfo`). */
  args: string[]
  /** Texts for the log: what the user should change in the configuration. */
  warnings: string[]
}

const defaults: Static<typeof ConfigFile> = {
  port: 7433,
  host: '127.0.0.1',
  simulate: false,
  allowRoots: [],
  maxRuns: limits.maxRuns,
  minFreeBytes: 512 * 1024 * 1024,
  idleCloseMs: 5 * 60_000,
  // About 200 MB each.
  maxIdleProcesses: 8,
  backgroundWaitMs: 10 * 60_000,
  cancelGraceMs: 5_000,
  resultGraceMs: 5_000,
  unattendedMs: limits.unattendedMs,
  allowArgs: false,
  allowBypassPermissions: false,
  allowedHosts: [],
  allowedOrigins: [],
  keepSessionsMs: 30 * 24 * 60 * 60_000,
  keepTotalBytes: 5 * 1024 ** 3,
  keepUsageMs: 2 * 365 * 24 * 60 * 60_000,
  rawLogs: 'drop',
  rawLogAfterMs: 7 * 24 * 60 * 60_000,
  notifications: [],
  logLevel: 'info',
  logTo: 'stderr',
  logMaxBytes: 10 * 1024 * 1024,
  logFiles: 5,
  checkResults: false,
}

export { BadConfig } from './config-file.ts'

export const serveUsage = `muxd serve [options]

  --home DIR           where everything is kept (MUXD_HOME; default: $XDG_STATE_HOME/muxd or ~/.local/state/muxd)
  --port N             TCP port, 0 picks a free one (default ${defaults.port})
  --host ADDRESS       loopback address to listen on (default ${defaults.host})
  --claude-bin PATH    Claude Code's executable (MUXD_CLAUDE_BIN; default: claude on PATH)
  --simulate           play Claude Code with the simulator: no account, no network, nothing real
  --allow-root DIR     sessions may run in DIR and below only; may be given again (default: anywhere you may)
  --max-runs N         runs at once, the rest queue (default ${defaults.maxRuns})
  --idle-close TIME    close a process after so long without work, as 90s or 5m; 0: one process a run (default 5m)
  --log-level LEVEL    ${logLevels.join(', ')} (default ${defaults.logLevel})
  --log-to PLACE       stderr, or file: log/ in the home, as muxd logs shows it (default ${defaults.logTo})
`

/**
 * Reads options, environment and file, in this order of precedence. Throws `BadConfig`, and `BadHome` if the home's
 * path is a file or its `sockets.json` cannot be used.
 */
export function readConfig(argv: string[], environment: NodeJS.ProcessEnv): Config {
  const options = readOptions(argv)
  if (options.home === '') throw new BadConfig('--home is empty, it must name a directory')
  const home = resolve(options.home ?? (environment['MUXD_HOME'] || defaultHome(environment)))
  refuseFile(home)
  const file = readConfigFile(homePaths(home).config)
  const named = options['claude-bin'] ?? (environment['MUXD_CLAUDE_BIN'] || undefined)
  const { simulate: simulateByFile = false } = file as { simulate?: unknown }
  const simulate = options.simulate ?? (named === undefined ? simulateByFile : false)
  const claudeBin = simulate === true ? simulatorPath() : (named ?? (file as { claudeBin?: string }).claudeBin)
  const warnings: string[] = []
  const given = {
    ...defaults,
    ...withoutCompress(file, warnings),
    simulate,
    ...(options.host !== undefined && { host: options.host }),
    ...(options['log-level'] !== undefined && { logLevel: options['log-level'] }),
    ...(options['log-to'] !== undefined && { logTo: options['log-to'] }),
    ...number('port', options.port),
    ...number('maxRuns', options['max-runs']),
    ...(options['idle-close'] !== undefined && {
      idleCloseMs: parseDuration(options['idle-close']) ?? options['idle-close'],
    }),
    ...number('idleCloseMs', options['idle-close-ms']),
    ...(claudeBin !== undefined && { claudeBin }),
    ...(options['allow-root'] && { allowRoots: options['allow-root'].map(root => resolve(root)) }),
  }
  if (!check.Check(given)) throw new BadConfig(describe(given))
  const problem = problemOfTargets(given.notifications)
  if (problem !== undefined) throw new BadConfig(`configuration: ${problem}`)
  return {
    ...given,
    home,
    environment: simulated(given, home, environment),
    args: argsOf(options, environment),
    warnings,
  }
}

export const defaultHome = (environment: NodeJS.ProcessEnv): string =>
  join(environment['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'muxd')

/** Replaces `rawLogs: "compress"` of earlier versions, which compressed raw logs, by `drop`, and adds a warning. */
function withoutCompress(file: { rawLogs?: unknown }, warnings: string[]): object {
  if (file.rawLogs !== 'compress') return file
  warnings.push('rawLogs: "compress" in config.json now means "drop"; write "drop", or "keep" to keep raw logs')
  return { ...file, rawLogs: 'drop' }
}

const check = Compile(ConfigFile)

function readOptions(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      options: {
        home: { type: 'string' },
        port: { type: 'string' },
        host: { type: 'string' },
        'claude-bin': { type: 'string' },
        simulate: { type: 'boolean' },
        'allow-root': { type: 'string', multiple: true },
        'max-runs': { type: 'string' },
        'idle-close': { type: 'string' },
        // In milliseconds. An earlier version may pass this option to its successor.
        'idle-close-ms': { type: 'string' },
        'log-level': { type: 'string' },
        'log-to': { type: 'string' },
      },
    }).values
  } catch (error) {
    throw new BadConfig((error as Error).message, { cause: error })
  }
}

type Options = ReturnType<typeof readOptions>

/**
 * Returns an environment in which the simulator keeps its conversations in a directory of its own, not in the user's.
 */
function simulated(
  { simulate }: { simulate: boolean },
  home: string,
  environment: NodeJS.ProcessEnv,
): NodeJS.ProcessEnv {
  if (!simulate) return environment
  const place = environment['MUXD_SIMULATOR_HOME'] ?? join(home, 'simulator')
  return { ...environment, MUXD_SIMULATOR_HOME: place, CLAUDE_CONFIG_DIR: place }
}

function argsOf(options: Options, environment: NodeJS.ProcessEnv): string[] {
  const claudeBin = options.simulate
    ? undefined
    : (options['claude-bin'] ?? (environment['MUXD_CLAUDE_BIN'] || undefined))
  const named = {
    host: options.host,
    // A name is looked up on PATH. A path is relative to the current directory.
    'claude-bin': claudeBin?.includes('/') ? resolve(claudeBin) : claudeBin,
    'max-runs': options['max-runs'],
    'idle-close': options['idle-close'],
    'idle-close-ms': options['idle-close-ms'],
    'log-level': options['log-level'],
  }
  return [
    ...(options.simulate ? ['--simulate'] : []),
    ...Object.entries(named).flatMap(([name, value]) => (value ? [`--${name}`, value] : [])),
    ...(options['allow-root'] ?? []).flatMap(root => ['--allow-root', resolve(root)]),
  ]
}

const number = (name: string, text: string | undefined) =>
  text === undefined ? {} : { [name]: /^\d+$/.test(text) ? Number(text) : text }

function describe(given: object): string {
  const unknown = unknownKey(given, ConfigFile.properties, '') ?? unknownTargetKey(given)
  if (unknown !== undefined) return `configuration: ${unknown}`
  const [error] = check.Errors(given)
  if (!error) return 'the configuration is not valid'
  const path = error.instancePath.slice(1)
  const value = path
    .split('/')
    .reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], given)
  return `configuration: ${path || 'the whole'} ${path ? `is ${JSON.stringify(value)}, it ` : ''}${error.message}`
}

function unknownTargetKey({ notifications }: { notifications?: unknown }): string | undefined {
  if (!Array.isArray(notifications)) return undefined
  for (const [index, target] of notifications.entries()) {
    const unknown = unknownKey(target, NotificationTarget.properties, `notifications/${index} has an `)
    if (unknown !== undefined) return unknown
  }
  return undefined
}

function unknownKey(given: unknown, properties: object, before: string): string | undefined {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return undefined
  const key = Object.keys(given).find(each => !Object.hasOwn(properties, each))
  if (key === undefined) return undefined
  const meant = nearestName(key, Object.keys(properties))
  return `${before}unknown key ${JSON.stringify(key)}${meant === undefined ? '' : `, did you mean ${JSON.stringify(meant)}?`}`
}

/** Returns the path of the simulator beside this program; in development, of the last build's. */
function simulatorPath(): string {
  return fileURLToPath(new URL('simulator.js', distDirectory()))
}
