import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Calm, calmDown } from './calm.ts'
import { runIdler } from './idler.ts'
import { fewestSamples } from './flat.ts'
import { type Holdings, holdingsOf } from './measure.ts'
import { createRandom, drawSeed, givenSeed } from '../support/random.ts'
import { figuresOf, isEmptying, type Peaks, tableOf } from './report.ts'
import { createSoakedDaemon, type SoakedDaemon } from './soaked-daemon.ts'
import { runUser } from './user.ts'
import { runWeather } from './weather.ts'
import type { World } from './world.ts'

const usage = `npm run soak -- [options]

  --minutes N   how long (default 20)
  --seed N      repeats the choices of an earlier soak; so does MUXD_TEST_SEED=N
  --preload F   a module that the daemon loads first: to try whether the soak finds what is planted in it

Random work on a real daemon with the simulator, in rounds; after each, when all has ended, every client's events are
checked and the daemon is measured. In the last third of the time the daemon is killed, restarted and stopped now and then. The exit code is 1
when anything was wrong or anything grew.
`

/** The length of a round's work. A short soak has shorter rounds, because it needs enough measurements too. */
const longestRoundMs = 7_000
const fewestRounds = 40
const roundEndMs = 120_000
const users = 3

async function main(): Promise<number> {
  const { minutes, seed, preload } = readArguments()
  if (process.platform !== 'linux') {
    process.stdout.write('SKIPPED: the soak looks into /proc, which only Linux has.\n')
    return 0
  }
  const directory = mkdtempSync(join(tmpdir(), 'muxd-soak-'))
  process.stdout.write(`a soak of ${minutes} min, seed ${seed}, in ${directory}\n`)
  const faults: string[] = []
  const daemon = createSoakedDaemon(directory, { preload, onDied: how => faults.push(how) })
  const world: World = {
    home: daemon.home,
    cwd: directory,
    random: createRandom(seed),
    sessions: new Map(),
    counts: new Map(),
    faults,
    doing: new Map(),
    isEnding: false,
  }
  const nothing: Holdings = { descriptors: 0, threads: 0, ptys: 0, rssMiB: 0 }
  const peaks: Peaks = { daemon: { ...nothing }, ptyHost: { ...nothing } }
  await daemon.start()
  try {
    const calms: Calm[] = []
    try {
      await soak(world, daemon, minutes * 60_000, { calms, peaks })
      await daemon.stop()
    } catch (error) {
      const { message, cause } = error as Error & { cause?: Error }
      faults.push(`${message}${cause ? `: ${cause.message}` : ''}`)
    }
    faults.push(...errorsIn(join(daemon.home, 'log')))
    const code = report(world, calms, peaks)
    if (code !== 0) process.stdout.write(`MUXD_TEST_SEED=${seed} repeats the random choices of this soak\n`)
    return code
  } finally {
    await daemon.kill()
    for (const pid of [...daemon.leftovers(), ...daemon.ptyHosts()]) process.kill(pid, 'SIGKILL')
    if (faults.length === 0) rmSync(directory, { recursive: true, force: true })
  }
}

async function soak(
  world: World,
  daemon: SoakedDaemon,
  forMs: number,
  { calms, peaks }: { calms: Calm[]; peaks: Peaks },
): Promise<void> {
  const startedAt = Date.now()
  const roundMs = Math.min(longestRoundMs, forMs / fewestRounds)
  // However slow the machine is: first measure one daemon often enough to judge it, then begin the storms.
  const wasLongEnough = (ms: number, measured: number) => Date.now() - startedAt > ms && calms.length >= measured
  while (!wasLongEnough(forMs, fewestSamples + 2) && world.faults.length < 10) {
    const isStormy = wasLongEnough((forMs * 2) / 3, fewestSamples)
    world.isEnding = false
    const workers = [
      ...Array.from({ length: users }, () => runUser(world)),
      runIdler(world),
      watchPeaks(world, daemon, peaks),
      ...(isStormy ? [runWeather(world, daemon)] : []),
    ]
    await Promise.race([delay(roundMs), Promise.all(workers)])
    world.isEnding = true
    if (!(await allEnd(workers, world))) break
    calms.push(await calmDown(world, daemon, { deleteAll: isEmptying(calms.length) }))
    const { daemon: ofDaemon, ptyHost: ofPtyHost } = calms.at(-1)!
    const at = `${((Date.now() - startedAt) / 60_000).toFixed(1)} min`
    const runs = world.counts.get('runs') ?? 0
    process.stderr.write(`${at}: ${runs} runs; daemon: ${inWords(ofDaemon)}; pty-host: ${inWords(ofPtyHost)}\n`)
  }
}

const inWords = ({ descriptors, threads, rssMiB }: Holdings) =>
  `${descriptors} descriptors, ${threads} threads, ${rssMiB.toFixed(0)} MiB`

/** Whether all workers end in time. A deadline, because a worker that hangs would block the soak. */
async function allEnd(workers: Promise<void>[], { doing, faults }: World): Promise<boolean> {
  const timeout = new AbortController()
  const inTime = await Promise.race([
    Promise.all(workers).then(() => true),
    delay(roundEndMs, false, { signal: timeout.signal }),
  ])
  timeout.abort()
  if (!inTime) faults.push(...[...doing.values()].map(what => `still at it ${roundEndMs} ms after the round: ${what}`))
  return inTime
}

async function watchPeaks(world: World, daemon: SoakedDaemon, peaks: Peaks): Promise<void> {
  const ptyHosts = daemon.ptyHosts()
  while (!world.isEnding) {
    raise(peaks.daemon, holdingsOf(daemon.pid))
    for (const pid of ptyHosts) raise(peaks.ptyHost, holdingsOf(pid))
    await delay(250)
  }
}

function raise(peaks: Holdings, now: Holdings | undefined): void {
  for (const name of Object.keys(peaks) as (keyof Holdings)[]) peaks[name] = Math.max(peaks[name], now?.[name] ?? 0)
}

function report({ counts, faults }: World, calms: Calm[], peaks: Peaks): number {
  // A soak that was broken off may have too few measurements to judge.
  const figures = faults.length > 0 && calms.length < fewestSamples ? [] : figuresOf(calms, peaks)
  const done = [...counts].map(([what, amount]) => `${amount.toLocaleString('en-US')} ${what}`)
  const verdict = faults.length > 0 ? 'FAILED' : figures.every(({ isFlat }) => isFlat) ? 'PASSED' : 'FAILED: not flat'
  process.stdout.write(
    `${[tableOf(figures), '', done.join(', '), '', ...faults.map(fault => `FAULT ${fault}`), verdict].join('\n')}\n`,
  )
  return verdict === 'PASSED' ? 0 : 1
}

/** Returns the errors in the daemon's log. Each is a bug of the daemon. */
function errorsIn(logs: string): string[] {
  const lines = ['daemon.log.2', 'daemon.log.1', 'daemon.log'].flatMap(name => {
    try {
      return readFileSync(join(logs, name), 'utf8').split('\n')
    } catch {
      return []
    }
  })
  return lines.filter(line => line.includes('"level":"error"')).map(line => `logged: ${line.slice(0, 1_000)}`)
}

function readArguments() {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '20' },
      seed: { type: 'string', default: String(givenSeed() ?? drawSeed()) },
      preload: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const [minutes, seed] = [Number(values.minutes), Number(values.seed)]
  if (values.help || !(minutes > 0) || !Number.isInteger(seed)) {
    process.stdout.write(usage)
    process.exit(values.help ? 0 : 2)
  }
  return { minutes, seed, preload: values.preload === undefined ? undefined : resolve(values.preload) }
}

// Exit explicitly: a worker that hangs would keep the process alive.
process.exit(await main())
