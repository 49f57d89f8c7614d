import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { StringDecoder } from 'node:string_decoder'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { tempDir } from './temp-dir.ts'

// oxlint-disable-next-line typescript/no-explicit-any
export type Frame = Record<string, any>

export interface Simulator {
  readonly pid: number
  /** Frames so far, in order. */
  readonly frames: Frame[]
  /** Everything printed so far. */
  readonly stdout: Buffer
  readonly stderr: string
  /**
   * Resolves with the first matching frame, whether it is printed already or later. Rejects when the process ends
   * without one.
   */
  frame(fits: (frame: Frame) => boolean): Promise<Frame>
  write(line: object | string): void
  /** Sends a prompt. Returns its uuid. */
  prompt(text: string): string
  control(request: object, id?: string): void
  end(): void
  /** Stops reading the output until the process has exited. */
  stopReading(): void
  signal(name: NodeJS.Signals): void
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

/** The simulator as built for the package. */
export const simulatorPath = fileURLToPath(new URL('../../dist/simulator.js', import.meta.url))

export const live = [
  '-p',
  ...['--input-format', 'stream-json', '--output-format', 'stream-json', '--verbose'],
  ...['--include-partial-messages', '--permission-prompt-tool', 'stdio'],
]
export const oneShot = ['-p', '--output-format', 'stream-json', '--verbose']

export interface StartOptions {
  /** Where the simulator remembers sessions; a new directory by default. */
  home?: string
  speed?: number
  cwd?: string
}

/** Starts the built simulator on pipes. It ends with the test. */
export function startSimulator(args: string[], { home, speed = 100, cwd }: StartOptions = {}): Simulator {
  const env = {
    PATH: process.env['PATH'],
    MUXD_SIMULATOR_HOME: home ?? tempDir(),
    MUXD_SIMULATOR_SPEED: String(speed),
  }
  const child = spawn(simulatorPath, args, { env, cwd })
  const frames: Frame[] = []
  const chunks: Buffer[] = []
  const waiting = new Set<() => void>()
  let rest = ''
  let stderr = ''
  let over = false
  child.stdin.on('error', () => {})
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const decoder = new StringDecoder('utf8')
  child.stdout.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    const lines = (rest + decoder.write(chunk)).split('\n')
    rest = lines.pop()!
    for (const line of lines) frames.push(parsed(line))
    for (const look of waiting) look()
  })
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>(resolve => {
    child.once('close', (code, signal) => {
      over = true
      for (const look of waiting) look()
      resolve({ code, signal })
    })
  })
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const write = (line: object | string) =>
    void child.stdin.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`)
  return {
    pid: child.pid!,
    frames,
    get stdout() {
      return Buffer.concat(chunks)
    },
    get stderr() {
      return stderr
    },
    frame: fits =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = frames.find(frame => fits(frame))
          if (!found && !over) return
          waiting.delete(look)
          if (found) resolve(found)
          else reject(new Error(`no such frame before the end; stderr: ${stderr}`))
        }
        waiting.add(look)
        look()
      }),
    write,
    prompt(text) {
      const uuid = randomUUID()
      const message = { role: 'user', content: [{ type: 'text', text }] }
      write({ type: 'user', uuid, message, parent_tool_use_id: null, session_id: '' })
      return uuid
    },
    control: (request, id = 'c1') => write({ type: 'control_request', request_id: id, request }),
    end: () => void child.stdin.end(),
    stopReading() {
      child.stdout.pause()
      child.once('exit', () => child.stdout.resume())
    },
    signal: name => void child.kill(name),
    ended,
  }
}

/** Plays one prompt, ends the input, and waits for the end. */
export async function play(prompt: string, args: string[] = live, options: StartOptions = {}) {
  const simulator = startSimulator(args, options)
  simulator.prompt(prompt)
  simulator.end()
  const { code, signal } = await simulator.ended
  return { ...simulator, code, signal, stdout: simulator.stdout, stderr: simulator.stderr }
}

export const isResult = (frame: Frame): boolean => frame['type'] === 'result'
export const isTextDelta = (frame: Frame): boolean => frame['event']?.delta?.type === 'text_delta'
export const isQuestion = (frame: Frame): boolean => frame['request']?.subtype === 'can_use_tool'
export const resultOf = (frames: Frame[]): Frame => frames.find(isResult)!

/** Parses a line. A line that is not a JSON object becomes `{ type: 'dirt' }`. */
export function parsed(line: string): Frame {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {}
  return { type: 'dirt', line }
}
