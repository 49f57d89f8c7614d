import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import { homeDirectory } from '../../sdk/index.ts'
import { harmlessJson } from '../../text/harmless.ts'
import { acting, command } from '../command/command.ts'
import { wholeNumber } from '../command/option-values.ts'
import { logDirectory } from '../daemon/background.ts'
import { type ExitCode, exitCodes, Usage } from '../errors/exit.ts'
import { type LogTail, openTail } from '../daemon/log-tail.ts'
import { colorsFor, print, say } from '../screen/output.ts'
import { dayOf, type LogLevel, type LogLine, logLevels, parseLogLine, renderLogLine } from '../render/log-line.ts'
import { harmless } from '../screen/text.ts'
import type { CommonOptions } from '../command/with-mux.ts'

export interface LogsOptions extends CommonOptions {
  lines: number
  follow?: true
  level: LogLevel
}

const pollMs = 200

export function declareLogs(program: Command): void {
  command(program, 'logs', 'show the log of the daemon')
    .addOption(new Option('-n, --lines <count>', 'the last lines').default(100).argParser(wholeNumber))
    .option('-f, --follow', 'go on with new lines until Ctrl-C')
    .addOption(new Option('--level <level>', 'this level and worse').choices(logLevels).default('debug'))
    .action(acting(logs))
}

/** `muxd logs`: prints the logs of a home's daemons. Reads the files, so no daemon has to run. */
async function logs(options: LogsOptions): Promise<ExitCode> {
  if (options.url !== undefined) throw new Usage('logs are read from the home directory: --url does not go with them')
  const directory = logDirectory(homeDirectory(options.home))
  const threshold = logLevels.indexOf(options.level)
  const isWanted = (line: LogLine | undefined) => line === undefined || logLevels.indexOf(line.level) >= threshold
  const printer = createPrinter(options.json === true)
  const open = new Map<string, LogTail>()

  /** Reads the new lines of the open logs, and the last `limit` lines of logs that were not open yet. */
  const read = (limit: number): Entry[] =>
    sourcesIn(directory).flatMap(source => {
      const known = open.get(source)
      const tail = known ?? openTail(join(directory, `${source}.log`))
      if (!tail) return []
      open.set(source, tail)
      const lines = known ? tail.next() : tail.last(limit, text => isWanted(parseLogLine(text)))
      return entries(lines, source).filter(({ line }) => isWanted(line))
    })

  try {
    const found = read(options.lines).toSorted((one, other) => (one.time < other.time ? -1 : 1))
    for (const entry of found.slice(-options.lines)) await printer(entry)
    if (open.size === 0) say(`no log in ${directory}${options.follow ? ' yet' : ''}`)
    while (options.follow) {
      await delay(pollMs)
      for (const entry of read(Infinity).toSorted((one, other) => (one.time < other.time ? -1 : 1)))
        await printer(entry)
    }
    return exitCodes.done
  } finally {
    for (const tail of open.values()) tail.close()
  }
}

interface Entry {
  source: string
  text: string
  line: LogLine | undefined
  /** The sort key among lines of other logs. A cut line has the time of the line before it. */
  time: string
}

function entries(lines: string[], source: string): Entry[] {
  let time = ''
  return lines.map(text => {
    const line = parseLogLine(text)
    time = line?.time ?? time
    return { source, text, line, time }
  })
}

/** Returns the names of the logs: `daemon` for `daemon.log`. */
function sourcesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter(name => name.endsWith('.log'))
      .map(name => name.slice(0, -4))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/**
 * With `json`, prints the lines as they were written and omits cut ones. Otherwise renders them for people, under
 * headings with the day.
 */
function createPrinter(json: boolean): (entry: Entry) => Promise<void> {
  const colors = colorsFor(process.stdout)
  let day: string | undefined
  return async ({ text, line, source }) => {
    if (json) return line && print(harmlessJson(text))
    if (!line) return print(colors.dim(harmless(text)))
    if (dayOf(line) !== day) await print(colors.dim(`── ${(day = dayOf(line))}`))
    return print(renderLogLine(line, source, colors))
  }
}
