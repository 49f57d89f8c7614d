import { closeSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { passHookPoint } from '../hook-points.ts'
import type { Log } from '../log/log.ts'
import { createExitMark } from './exit-mark.ts'
import { createGrowth, type Growth } from './growth.ts'
import { type HeldProcess, type ProcessSpec, SpawnFailed } from './pty-host.ts'
import { connectInput, type Input, openWhenThere } from './input.ts'
import { type ProcessFiles, processFiles, whileHeld } from './process-files.ts'
import { openPty, type Pty } from './pty.ts'
import { createRawLog, type RawLogWriter } from './raw-log-writer.ts'
import { createSentLines } from './sent-lines.ts'
import { shimCommandLine } from './shim.ts'
import { createStderrTail, openStderr, type StderrTail } from './stderr-tail.ts'
import { processMarker } from './process-mark.ts'
import { forgetStarted, noteStartedProcesses } from './started-processes.ts'
import { killIfOurs, signalIfThere, sweep } from './sweep.ts'

/**
 * Limit for the time between the start of the shim and the start of its command: long enough for an overloaded machine.
 */
const connectTimeoutMs = 30_000

/** A process that this process itself holds. */
export interface OwnProcess extends HeldProcess {
  /** The exit record has been read: the command has ended. */
  readonly exited: boolean
  /** The terminal is closed. */
  readonly ended: boolean
}

/**
 * Starts a process. When this resolves, the process runs: its terminal is raw, its pid is written, its input is open.
 * Rejects with `SpawnFailed`, after removing the process and its files.
 */
export async function startHeldProcess(
  dir: string,
  spec: ProcessSpec,
  log: Log | undefined,
  spared: () => readonly number[],
  onReleased: () => void,
): Promise<OwnProcess> {
  const files = processFiles(dir, spec.id)
  const startedAt = Date.now()
  const growth = createGrowth()
  const exitMark = createExitMark(spec.nonce)
  const stallListeners = new Set<(error: unknown) => void>()
  const fail = (why: string, cause: unknown) => new SpawnFailed(`${spec.command[0]} was not started: ${why}`, { cause })

  let rawLog: RawLogWriter
  try {
    rawLog = createRawLog(files, startedAt, {
      onStalled(error) {
        pty?.pause()
        log?.error('the raw log cannot be written: the process is held up', { process: spec.id, error })
        for (const listener of stallListeners) listener(error)
      },
      onRecovered() {
        pty?.resume()
        growth.tell(rawLog.sizeBytes)
        log?.info('the raw log can be written again', { process: spec.id })
      },
    })
  } catch (error) {
    throw fail('its files cannot be made', error)
  }

  let pty: Pty | undefined
  let pidFile: number | undefined
  let stderr: StderrTail | undefined
  try {
    // Create the file here, with mode 0600: the shell that writes the pid has the user's umask.
    // Keep it open: after the command has started, a lack of descriptors must not make the start fail.
    pidFile = openSync(files.pid, 'wx+', 0o600)
    // Write at an explicit position, so that the later read starts at the beginning of the file.
    writeSync(pidFile, `${spec.cwd}\n`, 0)
    pty = openPty({
      command: shimCommandLine({ files: files.base, nonce: spec.nonce, command: spec.command }),
      cwd: spec.cwd,
      env: { ...spec.env, [processMarker]: spec.id },
      onData(chunk) {
        exitMark.look(chunk)
        if (exitMark.seen) stderr?.finish()
        if (!rawLog.append(chunk)) return
        passHookPoint('appended')
        growth.tell(rawLog.sizeBytes)
      },
      onEnd() {
        stderr?.finish()
        rawLog.end()
        growth.end(rawLog.sizeBytes)
      },
    })
    const input = await connected(growth, async giveUp => {
      stderr = createStderrTail(files.err, await openWhenThere(() => openStderr(files.stderr), giveUp))
      return connectInput(files.in, giveUp)
    })
    stderr!.follow()
    const commandPid = Number(readFileSync(pidFile, 'utf8'))
    return hold({
      spec,
      files,
      startedAt,
      growth,
      exitMark,
      stallListeners,
      rawLog,
      stderr: stderr!,
      pty,
      commandPid,
      input,
      log,
      spared,
      onReleased,
    })
  } catch (error) {
    if (pty) {
      if (!growth.ended) signalIfThere(pty.pid, 'SIGKILL')
      await growth.whenEnded
    }
    rawLog.close()
    stderr?.close()
    const why = whyNotStarted(error as NodeJS.ErrnoException, spec, files)
    const { base: _, tmp: __, ...made } = files
    for (const path of Object.values(made)) rmSync(path, { recursive: true, force: true })
    throw fail(why, error)
  } finally {
    if (pidFile !== undefined) closeSync(pidFile)
  }
}

async function connected(growth: Growth, connect: (giveUp: AbortSignal) => Promise<Input>): Promise<Input> {
  const giveUp = new AbortController()
  // Before the command starts, growth means failure: an error message, an early exit record, or a closed terminal.
  const detach = growth.on(() => giveUp.abort(new Error('the shim did not get to its command')))
  const timer = setTimeout(() => giveUp.abort(new Error('the shim takes too long')), connectTimeoutMs)
  try {
    return await connect(giveUp.signal)
  } finally {
    clearTimeout(timer)
    detach()
  }
}

function whyNotStarted(error: NodeJS.ErrnoException, { cwd }: ProcessSpec, files: ProcessFiles): string {
  if (error.code !== 'ABORT_ERR') return error.message
  const directory = statSync(cwd, { throwIfNoEntry: false })
  if (!directory) return `the directory ${cwd} does not exist`
  if (!directory.isDirectory()) return `${cwd} is no directory`
  const said = readFileSync(files.raw, 'utf8').trim()
  return said.startsWith('\x1e') || said === '' ? (error.cause as Error).message : said
}

interface Parts {
  spec: ProcessSpec
  files: ProcessFiles
  startedAt: number
  growth: Growth
  exitMark: { readonly seen: boolean }
  stallListeners: Set<(error: unknown) => void>
  rawLog: RawLogWriter
  stderr: StderrTail
  pty: Pty
  commandPid: number
  input: Input
  log: Log | undefined
  spared: () => readonly number[]
  onReleased: () => void
}

function hold({
  spec: { id },
  files,
  startedAt,
  growth,
  exitMark,
  stallListeners,
  rawLog,
  stderr,
  pty,
  commandPid,
  input,
  log,
  spared,
  onReleased,
}: Parts): OwnProcess {
  const { pid } = pty
  let released: Promise<void> | undefined
  let inputEnded = false
  const sent = createSentLines()

  const started = noteStartedProcesses(id, files, pid, spared)
  const note = () => started.note().catch((error: unknown) => log?.warn('processes cannot be listed', { error }))

  const sweepAll = async () => {
    // Note descendants while their parents are alive.
    await note()
    const { seen } = started.known
    const shimPid = growth.ended ? undefined : pid
    const { stuck } = await sweep({ ids: [id], shimPid, seen, spared: spared() })
    if (stuck.length > 0) log?.warn('processes do not go away', { process: id, pids: stuck })
    if (released) forgetStarted(files)
  }
  const release = async () => {
    input.destroy()
    await note()
    // The command may still run if its reader has given up. It could ignore a hang-up.
    await killIfOurs(commandPid, { id, shimPid: pid })
    if (!growth.ended) {
      // The end of the session leader hangs up the terminal, even if other processes have it open.
      signalIfThere(pid, 'SIGKILL')
      await growth.whenEnded
    }
    await started.finish().catch((error: unknown) => log?.warn('processes cannot be listed', { error }))
    rawLog.close()
    stderr.close()
    for (const path of whileHeld(files)) rmSync(path, { recursive: true, force: true })
    onReleased()
  }
  void growth.whenEnded.then(() => input.destroy())

  return {
    id,
    pid,
    commandPid,
    startedAt,
    get rawBytes() {
      return rawLog.sizeBytes
    },
    get exited() {
      return exitMark.seen
    },
    get ended() {
      return growth.ended
    },
    get inputEnded() {
      return inputEnded
    },
    lost: false,
    writeLine: (line, lineId) => sent.once(lineId, () => input.writeLine(line)),
    async endInput() {
      inputEnded = true
      await Promise.all([note(), input.end()])
    },
    async signal(signal) {
      await note()
      if (!growth.ended) signalIfThere(-pid, signal)
    },
    note,
    kill: sweepAll,
    onGrow: listener => growth.on(listener),
    onStalled(listener) {
      stallListeners.add(listener)
      return () => stallListeners.delete(listener)
    },
    release: () => (released ??= release()),
  }
}
