import { availableParallelism, cpus, loadavg, release, type } from 'node:os'
import { parseArgs } from 'node:util'
import type { BenchLine } from './bench-line.ts'
import { benchBroadcast } from './broadcast.ts'
import { exitBytes } from './exit-bytes.ts'
import { benchLatency } from './latency.ts'
import { benchPage } from './page.ts'
import { benchReplay } from './replay.ts'
import { benchSlowReaders } from './slow-readers.ts'
import { benchStoring } from './storing.ts'
import { table } from './table.ts'

const usage = `npm run bench -- [GOAL…] [--quick | --smoke] [--json]

  GOAL     G1, G2, G5, G7, G8, G10 or PAGE: measure only these (default: all)
  --quick  fewer and shorter rounds, for trying out: its figures are not to be quoted
  --smoke  each benchmark once at its smallest size: whether it works, about a minute; its figures mean nothing
  --json   JSON instead of a table
`

type Size = 'whole' | 'quick' | 'smoke'

/** Each benchmark with its options for each size. `whole` has the defaults. */
const benches: Record<string, (size: Size) => Promise<BenchLine[]>> = {
  G1: sized(exitBytes, { quick: { runsPerSize: 20, endings: 11 }, smoke: { runsPerSize: 4, endings: 1 } }),
  G2: sized(benchBroadcast, { quick: { rounds: 3 }, smoke: { rounds: 1, turnsPerRound: 40 } }),
  G5: sized(benchLatency, {
    quick: { rounds: 2, roundMs: 2_000 },
    smoke: { rounds: 1, roundMs: 1_000, sessions: 4 },
  }),
  G7: sized(benchStoring, { quick: { rounds: 3 }, smoke: { rounds: 1, events: 1_000 } }),
  G8: sized(benchReplay, { quick: { rounds: 3 }, smoke: { rounds: 1, events: 5_000 } }),
  G10: sized(benchSlowReaders, { quick: { portions: 3 }, smoke: { portions: 1, count: 2 } }),
  PAGE: sized(benchPage, {
    quick: { roundMs: 6_000, screens: 60, openings: 3 },
    smoke: { roundMs: 1_000, screens: 3, openings: 1, longSession: 2_000, written: 200 },
  }),
}

function sized<Options>(
  bench: (options?: Options) => Promise<BenchLine[]>,
  options: { quick: NoInfer<Options>; smoke: NoInfer<Options> },
): (size: Size) => Promise<BenchLine[]> {
  return size => (size === 'whole' ? bench() : bench(options[size]))
}

/** Measures and reports. It judges nothing: the exit code says only whether it could measure. */
async function main(): Promise<void> {
  const { goals, size, json } = readArguments()
  const loadBefore = load()
  const startedAt = performance.now()
  const lines: BenchLine[] = []
  for (const goal of goals) {
    process.stderr.write(`measuring ${goal}…\n`)
    lines.push(...(await benches[goal]!(size)))
  }
  const report = {
    size,
    lines,
    machine: {
      cores: availableParallelism(),
      cpu: cpus()[0]?.model ?? 'unknown',
      kernel: `${type()} ${release()}`,
      node: process.version,
      /** The load of the last minute. `loadAfter` includes the benchmark itself. */
      loadBefore,
      loadAfter: load(),
    },
    tookSeconds: Math.round((performance.now() - startedAt) / 1e3),
  }
  process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : asText(report))
}

function asText({ size, lines, machine, tookSeconds }: Report): string {
  const { cores, cpu, kernel, node, loadBefore, loadAfter } = machine
  return [
    table(lines),
    '',
    `${cores} cores (${cpu}), ${kernel}, Node ${node}; load ${loadBefore} before, ${loadAfter} after; took ${tookSeconds} s`,
    ...(size === 'whole' ? [] : [`A ${size} run: these figures are for trying out and are not to be quoted.`]),
    '',
  ].join('\n')
}

interface Report {
  size: Size
  lines: BenchLine[]
  machine: { cores: number; cpu: string; kernel: string; node: string; loadBefore: string; loadAfter: string }
  tookSeconds: number
}

const load = () => loadavg()[0]!.toFixed(1)

function readArguments(): { goals: string[]; size: Size; json: boolean } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        quick: { type: 'boolean' },
        smoke: { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    if (values.help) leave(0)
    const goals = positionals.length > 0 ? positionals.map(goal => goal.toUpperCase()) : Object.keys(benches)
    for (const goal of goals) if (!benches[goal]) throw new Error(`there is no bench for ${goal}`)
    const size = values.smoke ? 'smoke' : values.quick ? 'quick' : 'whole'
    return { goals, size, json: values.json ?? false }
  } catch (error) {
    return leave(2, (error as Error).message)
  }
}

function leave(code: number, message?: string): never {
  const stream = code === 0 ? process.stdout : process.stderr
  stream.write(`${message === undefined ? '' : `${message}\n\n`}${usage}`)
  return process.exit(code)
}

await main()
