import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClaudeOptions } from '../../protocol/index.ts'
import type { HeldProcess, Holder } from '../holder/holder.ts'
import { openRawLog } from '../holder/raw-log.ts'
import type { Log } from '../log.ts'
import { commandLine } from './command-line.ts'
import { initializeLine } from './control.ts'
import { claudeEnvironment } from './environment.ts'
import { createOutputReader, type OutputLine } from './output.ts'

/** A live Claude Code process: lines go in, what it prints goes to its `OutputSink`. */
export interface ClaudeProcess {
  readonly id: string
  readonly pid: number
  readonly startedAt: number
  /** Sends a line; one that cannot be delivered is logged, for the process's end tells the rest. */
  send(line: string): void
  endInput(): void
  signal(signal: 'SIGINT' | 'SIGTERM'): Promise<void>
  /** Also ends what it left behind; after its own end only that. */
  kill(): Promise<void>
  /** Kills it without waiting for what it has yet to print, which cannot be kept. */
  abandon(): Promise<void>
}

export interface OutputSink {
  /** What was read in one go; `offset` is the raw log's up to which whole lines have been read. */
  lines(lines: OutputLine[], offset: number): void
  /** What it prints cannot be kept: it is held up, and nothing comes until it can be. */
  stalled(error: unknown): void
  /** After the last line: the shell's exit status, or null when the process was lost without an exit record. */
  ended(status: number | null, stderrTail: string): void
}

export interface StartOptions {
  holder: Holder
  log: Log
  /** Directory of the raw logs. */
  processesDir: string
  environment: NodeJS.ProcessEnv
  id: string
  nonce: string
  /** Claude Code's executable. */
  path: string
  cwd: string
  conversation: { start: string } | { resume: string }
  options: ClaudeOptions
}

/** How much of the end of stderr goes with a failure. */
export const stderrTailBytes = 4 * 1024

/** A process's own `TMPDIR`, removed when it is over. */
export const temporaryDirectory = (processesDir: string, id: string): string => join(processesDir, `${id}.tmp`)

/** Starts Claude Code for a session and says hello to it. Rejects with `SpawnFailed`. */
export async function startClaudeProcess(options: StartOptions, sink: OutputSink): Promise<ClaudeProcess> {
  const { holder, log, processesDir, id } = options
  const tmpDir = temporaryDirectory(processesDir, id)
  await mkdir(tmpDir, { recursive: true, mode: 0o700 })
  const held = await holder.start({
    id,
    nonce: options.nonce,
    command: commandLine(options),
    cwd: options.cwd,
    env: claudeEnvironment(options.environment, options.options.env, tmpDir),
  })
  follow(held, options, sink, tmpDir)
  const send = (line: string) =>
    void held.writeLine(line).catch((error: unknown) => log.info('a line was not delivered', { process: id, error }))
  // One that may not be signalled must not take the daemon down with it.
  const logged = (ending: Promise<void>) =>
    ending.catch((error: unknown) => log.error('a process could not be ended', { process: id, error }))
  send(initializeLine('init'))
  return {
    id,
    pid: held.pid,
    startedAt: held.startedAt,
    send,
    endInput: () => void held.endInput(),
    signal: signal => logged(held.signal(signal)),
    kill: () => logged(held.kill()),
    abandon: () => logged(held.kill().then(() => held.release())),
  }
}

/** Reads the raw log on whenever it has grown, up to the exit record or the end of the PTY. */
function follow(held: HeldProcess, { processesDir, id, nonce, log }: StartOptions, sink: OutputSink, tmpDir: string) {
  const rawLog = openRawLog(processesDir, id)
  const reader = createOutputReader(rawLog, nonce)

  const end = (status: number | null, last: OutputLine[]) => {
    detach()
    detachStalled()
    if (last.length > 0) sink.lines(last, rawLog.sizeBytes())
    const stderrTail = rawLog.stderrTail(stderrTailBytes)
    rawLog.close()
    held
      .release()
      .then(() => rm(tmpDir, { recursive: true, force: true }))
      .catch((error: unknown) => log.error('a process could not be released', { process: id, error }))
      .finally(() => sink.ended(status, stderrTail))
  }
  const readOn = (ended: boolean) => {
    for (let output = reader.read(); output; output = reader.read()) {
      sink.lines(output.lines, output.offset)
      if (output.exit) return end(output.exit.status, [])
    }
    if (ended) end(null, reader.rest())
  }
  const detachStalled = held.onStalled(error => sink.stalled(error))
  const detach = held.onGrow((_bytes, ended) => readOn(ended))
  readOn(false)
}
