import { rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { ClaudeOptions } from '../../../protocol/index.ts'
import type { HeldProcess, PtyHost } from '../../pty-host/pty-host.ts'
import { processFiles } from '../../pty-host/process-files.ts'
import { openRawLog } from '../../pty-host/raw-log.ts'
import { passHookPoint } from '../../hook-points.ts'
import type { Log } from '../../log/log.ts'
import { type Beginning, commandLine } from './command-line.ts'
import { initializeLine } from './control.ts'
import { claudeEnvironment } from './environment.ts'
import { optionFiles, writeOptionFiles } from './option-files.ts'
import type { OutputLine } from '../agent.ts'
import { createOutputReader, type Output } from './output.ts'

/** A live Claude Code process: lines go in, what it prints goes to its `OutputSink`. */
export interface ClaudeProcess {
  readonly id: string
  /** Claude Code's own. */
  readonly pid: number
  readonly startedAt: number
  readonly inputEnded: boolean
  /** Begins to hand out what it prints, with what there is, before it returns. */
  follow(): void
  /** Hands out no more, and leaves it running. */
  unfollow(): void
  /**
   * Sends a line; one that cannot be delivered is logged, for the process's end tells the rest. Sent again under the
   * same `lineId`, also by a later daemon, it arrives once.
   */
  send(line: string, lineId: string): void
  endInput(): void
  signal(signal: 'SIGINT' | 'SIGTERM'): Promise<void>
  /** Notes what it has started: once its parent has ended, that cannot be seen any more. */
  note(): void
  /** Also ends what it left behind; after its own end only that. */
  kill(): Promise<void>
  /** Kills it without waiting for what it has yet to print, which cannot be kept. */
  abandon(): Promise<void>
  /** Kills it, and hands out nothing more of what it has printed. */
  discard(): Promise<void>
}

export interface OutputSink {
  /** What was read in one go; `offset` is the raw log's up to which whole lines have been read. */
  lines(lines: OutputLine[], offset: number): void
  /** All that was there when `follow` was called has been handed out. Called once, unless it has ended by then. */
  caughtUp(): void
  /** What it has printed cannot be read. */
  failed(error: unknown): void
  /** What it prints cannot be kept: it is held up, and nothing comes until it can be. */
  stalled(error: unknown): void
  /** After the last line. */
  ended(end: ProcessEnd): void
}

export interface ProcessEnd {
  /** The shell's exit status; null when there is no exit record, or one that cannot be read. */
  status: number | null
  stderrTail: string
  /** How it ended is not known, because the pty-host has died or the record is damaged. */
  lost: boolean
}

export interface StartOptions {
  ptyHost: PtyHost
  log: Log
  /** Directory of the raw logs. */
  processesDir: string
  environment: NodeJS.ProcessEnv
  id: string
  nonce: string
  /** Claude Code's executable. */
  path: string
  cwd: string
  conversation: Beginning
  options: ClaudeOptions
  /** Its `TMPDIR`, which exists. */
  tmpDir: string
  /** Asked right before the start: throws where the process is not needed any more. */
  checkNeeded?(): void
}

/** How much of the end of stderr goes with a failure. */
const stderrTailBytes = 4 * 1024

/** Directories of a process that are removed when it is over: the files with its options, and the `TMPDIR` of an earlier version. */
export function processDirectories(processesDir: string, id: string): string[] {
  const { tmp, options } = processFiles(processesDir, id)
  return [tmp, options]
}

async function removeDirectories(processesDir: string, id: string): Promise<void> {
  for (const directory of processDirectories(processesDir, id)) await rm(directory, { recursive: true, force: true })
}

/** Starts Claude Code for a session and says hello to it. Rejects with `SpawnFailed`, or with what `checkNeeded` throws. */
export async function startClaudeProcess(options: StartOptions, sink: OutputSink): Promise<ClaudeProcess> {
  const { ptyHost, processesDir, id, nonce } = options
  const directories = processFiles(processesDir, id)
  const given = optionFiles(options.options, directories.options)
  try {
    await writeOptionFiles(directories.options, given.files)
    const env = claudeEnvironment(options.environment, options.options.env, options.tmpDir)
    const command = commandLine({ ...options, options: given.options })
    options.checkNeeded?.()
    const held = await ptyHost.start({ id, nonce, command, cwd: options.cwd, env })
    return adoptClaudeProcess(held, { ...options, from: 0 }, sink)
  } catch (error) {
    await removeDirectories(processesDir, id)
    throw error
  }
}

export interface AdoptOptions extends Pick<StartOptions, 'log' | 'processesDir' | 'nonce'> {
  /** Raw log offset up to which lines have been read by an earlier daemon. */
  from: number
}

/** Takes up a process that the pty-host has. */
export function adoptClaudeProcess(held: HeldProcess, options: AdoptOptions, sink: OutputSink): ClaudeProcess {
  const { log } = options
  const { id } = held
  const send: ClaudeProcess['send'] = (line, lineId) =>
    void held
      .writeLine(line, lineId)
      .catch((error: unknown) => log.info('a line was not delivered', { process: id, error }))
  // One that may not be signalled must not take the daemon down with it.
  const logged = (ending: Promise<void>) =>
    ending.catch((error: unknown) => log.error('a process could not be ended', { process: id, error }))
  let unfollow = () => {}
  send(initializeLine('init'), 'init')
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

/** Reads the raw log on whenever it has grown, up to the exit record or the end of the PTY. Returns what ends that. */
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
  // In portions: the pty-host may append as fast as this reads, and the others want their turn.
  const readOn = () => {
    isScheduled = false
    if (isOver) return
    let exit: Exit | 'more' | undefined
    try {
      exit = reading.readOn(readsPerTurn)
    } catch (error) {
      return sink.failed(error)
    }
    // The sink may want no more.
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
  // Told behind all that could be kept: what ends because of it ends after that.
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

/** Reads what a process that is no more has printed, to the end. */
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

/** Each is of 256 KiB at most. */
const readsPerTurn = 2

function startReading(id: string, { processesDir, nonce, from }: AdoptOptions, sink: OutputSink) {
  const rawLog = openRawLog(processesDir, id, from)
  const reader = createOutputReader(rawLog, nonce, from)
  const printedBefore = rawLog.sizeBytes()
  let readUpTo = from
  let isClosed = false
  return {
    isCaughtUp: () => readUpTo >= printedBefore,
    /** Hands out what there is, of so many reads at most; answers the exit record when it has been read. */
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
    /** Hands out what was begun and will never be ended. */
    readRest() {
      const last = reader.rest()
      if (last.length > 0) sink.lines(last, Math.max(from, rawLog.sizeBytes()))
    },
    /** There is no more to be read. `isLost`: nor can there be an exit record. */
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
