import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { BenchLine } from './bench-line.ts'
import { type Child, startChild } from './child.ts'
import { type Chain, startFeeder, startMuxd, startReference } from './latency-chains.ts'
import type { ChainName, Collected, UiCommand } from './latency-ui.ts'
import { median, quantile } from './statistics.ts'

const framesPerSecond = 200
const uiCount = 3
// The time from the prompt to the first frame, and from there to the first frame that counts.
const leadMs = 500
const settleMs = 1_000

type Feeder = Awaited<ReturnType<typeof startFeeder>>

interface Measured {
  p50Ms: number
  p99Ms: number
  /** Frames that arrive at each UI. */
  framesPerSecond: number
  /** CPU time of the measured process, without the processes that it started. */
  cpuUsPerFrame: number
}

/**
 * G5: the time from the print of a frame to the arrival of its event at a UI, with 50 sessions at 200 frames a second
 * and 3 UIs, each with one socket that subscribes to all sessions. The reference is the same chain without store and
 * batching (`latency-reference.ts`), fed in the same way. The two alternate; each ratio is the median of the rounds'
 * ratios. `roundMs` is the measured part of a round.
 */
export async function benchLatency({ rounds = 7, roundMs = 5_000, sessions = 50 } = {}): Promise<BenchLine[]> {
  const dir = mkdtempSync(join(tmpdir(), 'muxd-bench-'))
  const opened: { close(): Promise<void> }[] = []
  const open = <T extends { close(): Promise<void> }>(part: T): T => {
    opened.push(part)
    return part
  }
  try {
    const programs = await bundle()
    const feeder = open(await startFeeder(dir, sessions))
    const chains = [open(await startMuxd(dir, sessions)), open(await startReference(programs.reference, dir, sessions))]
    const uis = Array.from({ length: uiCount }, () => open(startChild<UiCommand>(programs.ui)))
    for (const { name: chain, url, token, topics } of chains) {
      await Promise.all(uis.map(ui => ui.ask({ do: 'connect', chain, url, token, topics })))
    }
    // The first round of a chain starts its processes, the second one warms it up.
    for (const chain of [...chains, ...chains]) await playRound(feeder, chain, uis, { roundMs: 1_000, sessions })

    const measured: Record<ChainName, Measured[]> = { muxd: [], reference: [] }
    for (let round = 0; round < rounds; round++) {
      for (const chain of chains)
        measured[chain.name].push(await measureRound(feeder, chain, uis, { roundMs, sessions }))
      chains.reverse()
    }
    return lines(measured, sessions)
  } finally {
    await Promise.allSettled(opened.map(part => part.close()))
    rmSync(dir, { recursive: true, force: true })
  }
}

/**
 * Bundles both programs, like the daemon that they are compared with, into a cache below node_modules, where their
 * imports resolve.
 */
async function bundle(): Promise<{ ui: string; reference: string }> {
  const outdir = fileURLToPath(new URL('../../node_modules/.cache/muxd-bench', import.meta.url))
  const path = (name: string) => fileURLToPath(new URL(name, import.meta.url))
  await build({
    entryPoints: { ui: path('./latency-ui.ts'), reference: path('./latency-reference.ts') },
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    minifySyntax: true,
    packages: 'external',
    logLevel: 'warning',
  })
  return { ui: join(outdir, 'ui.mjs'), reference: join(outdir, 'reference.mjs') }
}

/** Plays a round. Returns its latencies at all UIs, ascending, and the CPU seconds of the measured process. */
async function playRound(
  feeder: Feeder,
  chain: Chain,
  uis: Child<UiCommand>[],
  { roundMs, sessions }: { roundMs: number; sessions: number },
): Promise<{ latenciesUs: Float64Array; cpu: number }> {
  const startUs = nowUs() + leadMs * 1e3
  const fromUs = startUs + settleMs * 1e3
  const untilUs = fromUs + roundMs * 1e3
  const collecting = uis.map(ui =>
    ui.ask<Collected>({ do: 'collect', chain: chain.name, runs: sessions, fromUs, untilUs }),
  )
  await chain.run(feeder.prompt(startUs, untilUs, framesPerSecond))
  await until(fromUs)
  const before = cpuSeconds(chain.pid)
  await until(untilUs)
  const cpu = cpuSeconds(chain.pid) - before

  const collected = await Promise.all(collecting)
  if (collected.some(({ missing }) => missing > 0)) throw new Error(`${chain.name}: not every frame has arrived`)
  return { latenciesUs: Float64Array.from(collected.flatMap(ui => [...ui.latenciesUs])).sort(), cpu }
}

async function measureRound(
  feeder: Feeder,
  chain: Chain,
  uis: Child<UiCommand>[],
  size: { roundMs: number; sessions: number },
): Promise<Measured> {
  const { latenciesUs, cpu } = await playRound(feeder, chain, uis, size)
  const frames = latenciesUs.length / uiCount
  const asked = (framesPerSecond * size.sessions * size.roundMs) / 1e3
  // A source that begins late prints what it owes at once.
  if (frames > 1.1 * asked) throw new Error(`${chain.name}: the source printed ${frames} frames, not ${asked}`)
  return {
    p50Ms: quantile(latenciesUs, 0.5) / 1e3,
    p99Ms: quantile(latenciesUs, 0.99) / 1e3,
    framesPerSecond: frames / (size.roundMs / 1e3),
    cpuUsPerFrame: (cpu * 1e6) / frames,
  }
}

// `process.hrtime` and the CLOCK_MONOTONIC of the frame source are the same clock.
const nowUs = () => Number(process.hrtime.bigint()) / 1e3
const until = (us: number) => new Promise(resolve => setTimeout(resolve, (us - nowUs()) / 1e3))

/** Returns user and system time in seconds. The kernel counts ticks of 1/100 s. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

function lines({ muxd, reference }: Record<ChainName, Measured[]>, sessions: number): BenchLine[] {
  const ratio = (value: (of: Measured) => number) =>
    median(muxd.map((of, round) => value(of) / value(reference[round]!)))
  const both = (value: (of: Measured) => number, print: (value: number) => string) => ({
    value: print(median(muxd.map(value))),
    reference: print(median(reference.map(value))),
    ratio: ratio(value),
  })
  const ms = (value: number) => `${value.toFixed(2)} ms`
  const asked = sessions * framesPerSecond
  const what = `frame printed to event at a UI, ${sessions} x ${framesPerSecond} frames/s, ${uiCount} UIs`
  return [
    { goal: 'G5', what: `${what}: p50`, ...both(({ p50Ms }) => p50Ms, ms), floor: '1 ms', aim: '0.3 ms' },
    { goal: 'G5', what: `${what}: p99`, ...both(({ p99Ms }) => p99Ms, ms), floor: '1.0', aim: '0.5' },
    {
      goal: 'G5',
      what: `the load that was reached, of ${asked} frames/s to each UI`,
      ...both(
        of => of.framesPerSecond,
        value => `${value.toFixed(0)}/s`,
      ),
    },
    {
      goal: 'G5',
      what: 'CPU of the daemon per frame at that load',
      ...both(
        of => of.cpuUsPerFrame,
        value => `${value.toFixed(0)} µs`,
      ),
    },
  ]
}
