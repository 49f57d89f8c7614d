import { rmSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Agent, LineContent, OutputLine, LaunchRequest } from '../../agents/agent.ts'
import { passHookPoint } from '../../hook-points.ts'
import type { Log } from '../../log/log.ts'
import { createOutputReader, type Output } from '../../pty-host/output.ts'
import { processDirectories, processFiles } from '../../pty-host/process-files.ts'
import type { HeldProcess, PtyHost } from '../../pty-host/pty-host.ts'
import { openRawLog } from '../../pty-host/raw-log.ts'

/** A live process of an agent. It takes lines, and its output goes to an `OutputSink`. */
export interface AgentProcess {
  readonly id: string
  /** The pid of the agent's program, not of its shim. */
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

export interface StartOptions extends Omit<LaunchRequest, 'directory'> {
  agent: Agent
  ptyHost: PtyHost
  log: Log
  /** The directory of the raw logs. */
  processesDir: string
  id: string
  nonce: string
  cwd: string
}

/** The number of bytes from the end of stderr in a failure. */
const stderrTailBytes = 4 * 1024

async function removeDirectories(processesDir: string, id: string): Promise<void> {
  for (const directory of processDirectories(processesDir, id)) await rm(directory, { recursive: true, force: true })
}

/**
 * Starts the program of an agent. `tmpDir` must exist. Rejects with `SpawnFailed`, or if its files cannot be written.
 */
export async function startAgentProcess(options: StartOptions, sink: OutputSink): Promise<AgentProcess> {
  const { agent, ptyHost, processesDir, id, nonce, cwd } = options
  const directory = processFiles(processesDir, id).options
  const { command, env, files } = agent.launchSpec({ ...options, directory })
  try {
    await writeFiles(directory, files)
    const held = await ptyHost.start({ id, nonce, command, cwd, env })
    return adoptAgentProcess(held, { ...options, from: 0 }, sink)
  } catch (error) {
    await removeDirectories(processesDir, id)
    throw error
  }
}

/** Writes files that only the user may read and write. The program may read them again when they change. */
async function writeFiles(directory: string, files: ReadonlyMap<string, string>): Promise<void> {
  if (files.size === 0) return
  await mkdir(directory, { mode: 0o700 })
  for (const [name, content] of files) await writeFile(join(directory, name), content, { mode: 0o600, flag: 'wx' })
}

export interface AdoptOptions extends Pick<StartOptions, 'agent' | 'log' | 'processesDir' | 'nonce'> {
  /** The raw log offset up to which an earlier daemon has read lines. */
  from: number
}

/** Takes over a process that the pty-host holds. */
export function adoptAgentProcess(held: HeldProcess, options: AdoptOptions, sink: OutputSink): AgentProcess {
  const { log } = options
  const { id } = held
  const send: AgentProcess['send'] = (line, lineId) =>
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

type Exit = NonNullable<Output<LineContent>['exit']>

/** A read returns at most 256 KiB. */
const readsPerTurn = 2

function startReading(id: string, { agent, processesDir, nonce, from }: AdoptOptions, sink: OutputSink) {
  const rawLog = openRawLog(processesDir, id, from)
  const reader = createOutputReader(rawLog, nonce, agent, from)
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
