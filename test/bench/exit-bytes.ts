import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openRawLog } from '../../daemon/pty-host/raw-log.ts'
import {
  blockEventLoop,
  bytesLostByPtyHost,
  exitSizes,
  openPrintedBytes,
  type PrintedBytes,
} from '../pty-host/printed-bytes.ts'
import { openRemotePtyHost } from '../pty-host/remote-pty-host.ts'
import type { BenchLine } from './bench-line.ts'
import { median } from './statistics.ts'

const sizes = exitSizes.filter(size => size !== 4094 && size !== 4098 && size !== 5000)
const atOnce = 20
// The event loop is alternately free and blocked for this long.
const blocksMs = [undefined, 50, undefined, 250]

/** G1: bytes lost when a process exits right after printing, and how soon its end is known while nothing else runs. */
export async function exitBytes({ runsPerSize = 200, endings = 41 } = {}): Promise<BenchLine[]> {
  const printed = await openPrintedBytes(openRemotePtyHost)
  try {
    return [await loss(printed, runsPerSize), await timeToEnd(printed, endings)]
  } finally {
    await printed.close()
  }
}

async function loss(printed: PrintedBytes, runsPerSize: number): Promise<BenchLine> {
  let lost = 0
  let lostByFile = 0
  for (const size of sizes) {
    for (const blockMs of blocksMs) {
      const runs = runsPerSize / blocksMs.length
      lost += await bytesLostByPtyHost(printed, {
        size,
        runs,
        atOnce,
        ...(blockMs !== undefined && { block: () => blockEventLoop(blockMs) }),
      })
    }
    for (let run = 0; run < 10; run++) lostByFile += await bytesLostByFile(printed, size)
  }
  return {
    goal: 'G1',
    what: `bytes lost at exit, ${sizes.length * runsPerSize} runs of 1 B to 1 MB, ${atOnce} at once, half with the loop blocked`,
    value: `${lost} B`,
    reference: `${lostByFile} B (${sizes.length * 10} runs into a file)`,
    floor: '0 B',
    aim: '0 B',
  }
}

function bytesLostByFile({ dir, printer }: PrintedBytes, size: number): Promise<number> {
  return throughFile(dir, printer.command(size), output => printer.lost(output, size))
}

// A child whose last bytes are the time at which it wrote them. It exits right after that.
const stamping: [string, ...string[]] = ['/bin/sh', '-c', 'read line; exec date +%s%N']

async function timeToEnd({ dir, ptyHost }: PrintedBytes, endings: number): Promise<BenchLine> {
  const ways = {
    ptyHost: async (run: number) => {
      const nonce = `n${run}`
      const held = await ptyHost.start({ id: `e_${run}`, nonce, command: stamping, cwd: dir, env })
      const rawLog = openRawLog(dir, held.id)
      const delay = new Promise<number>(resolve => {
        const detach = held.onGrow(rawBytes => {
          const text = rawLog.read(0, rawBytes).toString('latin1')
          if (!text.includes(`\x1e${nonce} 0\n`)) return
          resolve(sinceStampMs(text))
          detach()
        })
      })
      await held.writeLine('')
      await delay
      rawLog.close()
      await held.release()
      return delay
    },
    pipe: () =>
      new Promise<number>((resolve, reject) => {
        const child = spawn(stamping[0], stamping.slice(1), { cwd: dir, env, stdio: ['pipe', 'pipe', 'ignore'] })
        let text = ''
        child.stdout.on('data', chunk => (text += String(chunk)))
        child.on('error', reject).on('close', () => resolve(sinceStampMs(text)))
        child.stdin.end('\n')
      }),
    file: () => throughFile(dir, stamping, output => sinceStampMs(output.toString())),
  }
  const taken: Record<keyof typeof ways, number[]> = { ptyHost: [], pipe: [], file: [] }
  for (let run = 0; run < endings; run++) {
    for (const way of ['ptyHost', 'pipe', 'file'] as const) taken[way].push(await ways[way](run))
  }
  const [held, pipe, file] = [median(taken.ptyHost), median(taken.pipe), median(taken.file)]
  return {
    goal: 'G1',
    what: `last byte written to end known, idle, median of ${endings}`,
    value: ms(held),
    reference: `${ms(file)} through a file, ${ms(pipe)} through a pipe`,
    ratio: held / file,
    floor: '10 ms',
    aim: '2 ms',
  }
}

function throughFile<T>(dir: string, command: [string, ...string[]], read: (output: Buffer) => T): Promise<T> {
  const path = join(dir, 'output')
  const input = join(dir, 'input')
  writeFileSync(input, '\n')
  const [stdin, stdout] = [openSync(input, 'r'), openSync(path, 'w')]
  return new Promise<T>((resolve, reject) => {
    const child = spawn(command[0], command.slice(1), { cwd: dir, env, stdio: [stdin, stdout, 'ignore'] })
    child.on('error', reject).on('exit', () => resolve(read(readFileSync(path))))
  }).finally(() => {
    for (const fd of [stdin, stdout]) closeSync(fd)
    for (const file of [path, input]) rmSync(file)
  })
}

// Both times are wall-clock times; the child's comes from `date`. `Date.now` has whole milliseconds only, and an
// adjusted clock drifts away from `performance.now`. So both clocks are read together, at the next tick of `Date.now`.
function sinceStampMs(text: string): number {
  const end = performance.now()
  const started = Date.now()
  let now = started
  while (now === started) now = Date.now()
  const endAt = now - (performance.now() - end)
  const stamp = /^\d+/.exec(text)?.[0]
  if (!stamp) throw new Error(`no time in ${JSON.stringify(text)}`)
  return endAt - Number(stamp.slice(0, -3)) / 1_000
}

const ms = (value: number) => `${value.toFixed(2)} ms`
const env = { PATH: process.env['PATH']! }
