import { rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { ClaudeOptions } from '../../../protocol/index.ts'
import type { HeldProcess, PtyHost } from '../../pty-host/pty-host.ts'
import { processFiles } from '../../pty-host/process-files.ts'
import { openRawLog } from '../../pty-host/raw-log.ts'
import { passHookPoint } from '../../hook-points.ts'
import type { Log } from '../../log/log.ts'
import { type Beginning, commandLine } from './command-line.ts'
import { claudeEnvironment } from './environment.ts'
import { optionFiles, writeOptionFiles } from './option-files.ts'
import type { OutputLine } from '../agent.ts'
import { createOutputReader, type Output } from './output.ts'

/** A live Claude Code process. It takes lines, and its output goes to an `OutputSink`. */
export interface ClaudeProcess {
  readonly id: string
  /** The pid of Claude Code, not of its shim. */
  readonly pid: number
  readonly startedAt: number
  readonly inputEnded: boolean
  /** Begins to pass output to the sink. Passes some of the existing output before it returns. */
  follow(): void
  /** Stops passing output, and leaves the process running. */
  unfollow(): void
  /**
   * Sends a line. A line that is sent again under the same `lineId`, also by a later daemon, arrives once. A failed
   * delivery is only logged, because the end of the process reports the reason.
   */
  send(line: string, lineId: string): void
  endInput(): void
  signal(signal: 'SIGINT' | 'SIGTERM'): Promise<void>
  /** Makes the pty-host note the descendants of the process. They cannot be found once their parent has ended. */
  note(): void
  /** Kills the process and the processes that it left behind. After its end, kills only the latter. */
  kill(): Promise<void>
  /** Kills the process without waiting for its remaining output, which cannot be stored. */
  abandon(): Promise<void>
  /** Kills the process and passes no more of its output. */
  discard(): Promise<void>
}

export interface OutputSink {
  /** Takes the lines of one read. `offset` is the raw log offset up to which whole lines have been read. */
  lines(lines: OutputLine[], offset: number): void
  /**
   * All output that existed when `follow` was called has been passed. Called once, unless the process has ended by
   * then.
   */
  caughtUp(): void
  /** The output cannot be read. */
  failed(error: unknown): void
  /** The raw log cannot be written. The process is paused, and no output comes until it can be written again. */
  stalled(error: unknown): void
  /** The process has ended. Called after the last line. */
  ended(end: ProcessEnd): void
}

export interface ProcessEnd {
  /** The exit status of the shell; null if the exit record is missing or unreadable. */
  status: number | null
  stderrTail: string
  /** The reason of the end is unknown, because the pty-host has died or the exit record is damaged. */
  lost: boolean
}

export interface StartOptions {
  ptyHost: PtyHost
  log: Log
  /** The directory of the raw logs. */
  processesDir: string
  environment: NodeJS.ProcessEnv
  id: string
  nonce: string
  /** The path of the executable of Claude Code. */
  path: string
  cwd: string
  conversation: Beginning
  options: ClaudeOptions
  /** The `TMPDIR` of the process. It must exist. */
  tmpDir: string
}

/** The number of bytes from the end of stderr in a failure. */
const stderrTailBytes = 4 * 1024

/**
 * Returns the directories to remove when a process has ended: its option files, and the `TMPDIR` of an earlier version.
 */
export function processDirectories(processesDir: string, id: string): string[] {
  const { tmp, options } = processFiles(processesDir, id)
  return [tmp, options]
}

async function removeDirectories(processesDir: string, id: string): Promise<void> {
  for (const directory of processDirectories(processesDir, id)) await rm(directory, { recursive: true, force: true })
}

/**
 * Starts Claude Code. Rejects with `SpawnFailed`.
 */
export async function startClaudeProcess(options: StartOptions, sink: OutputSink): Promise<ClaudeProcess> {
  const { ptyHost, processesDir, id, nonce } = options
  const directories = processFiles(processesDir, id)
  const given = optionFiles(options.options, directories.options)
  try {
    await writeOptionFiles(directories.options, given.files)
    const env = claudeEnvironment(options.environment, options.options.env, options.tmpDir)
    const command = commandLine({ ...options, options: given.options })
    const held = await ptyHost.start({ id, nonce, command, cwd: options.cwd, env })
    return adoptClaudeProcess(held, { ...options, from: 0 }, sink)
  } catch (error) {
    await removeDirectories(processesDir, id)
    throw error
  }
}

export interface AdoptOptions extends Pick<StartOptions, 'log' | 'processesDir' | 'nonce'> {
  /** The raw log offset up to which an earlier daemon has read lines. */
  from: number
}

/** Takes over a process that the pty-host holds. */
export function adoptClaudeProcess(held: HeldProcess, options: AdoptOptions, sink: OutputSink): ClaudeProcess {
  const { log } = options
  const { id } = held
  const send: ClaudeProcess['send'] = (line, lineId) =>
    void held
      .writeLine(line, lineId)
      .catch((error: unknown) => log.info('a line was not delivered', { process: id, error }))
  // A process that cannot be signalled must not crash the daemon.
  const logged = (ending: Promise<void>) =>
    ending.catch((error: unknown) => log.error('a process could not be ended', { process: id, error }))
  let unfollow = () => {}
  return {
    id,
    pid: held.commandPid,
    startedAt: held.startedAt,
    get inputEnded() {
      return held.inputEnded
    },
    follow() {
      unfollow = follow(held, options, sink)
    },
    unfollow: () => unfollow(),
    send,
    endInput: () => void held.endInput(),
    signal: signal => logged(held.signal(signal)),
    note: () => void logged(held.note()),
    kill: () => logged(held.kill()),
    abandon: () => logged(held.kill().then(() => held.release())),
    discard() {
      unfollow()
      const gone = held.kill().then(() => held.release())
      return logged(gone.then(() => removeDirectories(options.processesDir, id)))
    },
  }
}

/**
 * Reads the raw log each time it has grown, up to the exit record or the end of the PTY. Returns a function that stops.
 */
function follow(held: HeldProcess, options: AdoptOptions, sink: OutputSink): () => void {
  const { processesDir, log } = options
  const { id } = held
  const reading = startReading(id, options, sink)

  const end = (exit: Exit | undefined) => {
    detachAll()
    const processEnd = reading.end(exit, held.lost)
    held
      .release()
      .then(() => removeDirectories(processesDir, id))
      .catch((error: unknown) => log.error('a process could not be released', { process: id, error }))
      .finally(() => sink.ended(processEnd))
  }
  let isOver = false
  const detachAll = () => {
    isOver = true
    detach()
    detachStalled()
  }
  let isGone = false
  let isScheduled = false
  let isBehind = true
  let stalledBy: { error: unknown } | undefined
  // Reads in portions, because the pty-host may append as fast as this reads, and other sessions need their turn.
  const readOn = () => {
    isScheduled = false
    if (isOver) return
    let exit: Exit | 'more' | undefined
    try {
      exit = reading.readOn(readsPerTurn)
    } catch (error) {
      return sink.failed(error)
    }
    // The sink may have stopped the reading.
    if (isOver) return
    if (isBehind && (exit === 'more' ? reading.isCaughtUp() : exit === undefined && !isGone)) {
      isBehind = false
      sink.caughtUp()
      if (isOver) return
    }
    if (exit === 'more') {
      isScheduled = true
      setImmediate(readOn)
    } else if (exit) {
      end(exit)
    } else if (isGone) {
      reading.readRest()
      end(undefined)
    } else if (stalledBy) {
      const { error } = stalledBy
      stalledBy = undefined
      sink.stalled(error)
    }
  }
  // Reported after all stored output, so that a run that fails because of it ends after that output.
  const detachStalled = held.onStalled(error => {
    stalledBy = { error }
    if (!isScheduled) readOn()
  })
  const detach = held.onGrow((_bytes, ended) => {
    isGone ||= ended
    if (!isScheduled) readOn()
  })
  readOn()
  return () => {
    if (isOver) return
    detachAll()
    reading.close()
  }
}

/** Reads the output of an ended process to its end. */
export function readEndedProcess(id: string, options: AdoptOptions, sink: OutputSink): void {
  const reading = startReading(id, options, sink)
  const exit = reading.readOn(Infinity)
  if (exit === undefined) reading.readRest()
  const end = reading.end(exit === 'more' ? undefined : exit, true)
  for (const directory of processDirectories(options.processesDir, id))
    rmSync(directory, { recursive: true, force: true })
  sink.ended(end)
}

type Exit = NonNullable<Output['exit']>

/** A read returns at most 256 KiB. */
const readsPerTurn = 2

function startReading(id: string, { processesDir, nonce, from }: AdoptOptions, sink: OutputSink) {
  const rawLog = openRawLog(processesDir, id, from)
  const reader = createOutputReader(rawLog, nonce, from)
  const printedBefore = rawLog.sizeBytes()
  let readUpTo = from
  let isClosed = false
  return {
    isCaughtUp: () => readUpTo >= printedBefore,
    /**
     * Passes the output of at most `reads` reads. Returns the exit record once it is read, and `more` if output
     * remains.
     */
    readOn(reads: number): Exit | 'more' | undefined {
      for (let output = reader.read(); output; output = reader.read()) {
        passHookPoint('read')
        readUpTo = output.offset
        sink.lines(output.lines, output.offset)
        if (isClosed) return undefined
        if (output.exit) return output.exit
        if (--reads <= 0) return 'more'
      }
      return undefined
    },
    /** Passes the last line, which will never be completed. */
    readRest() {
      const last = reader.rest()
      if (last.length > 0) sink.lines(last, Math.max(from, rawLog.sizeBytes()))
    },
    /** Closes the raw log after the last read. `isLost`: no exit record can come. */
    end(exit: Exit | undefined, isLost: boolean): ProcessEnd {
      const stderrTail = rawLog.stderrTail(stderrTailBytes)
      rawLog.close()
      return { status: exit?.status ?? null, lost: exit ? exit.status === null : isLost, stderrTail }
    },
    close() {
      isClosed = true
      rawLog.close()
    },
  }
}
