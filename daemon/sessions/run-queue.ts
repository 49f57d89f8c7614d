import type { WaitingFor } from '../../protocol/index.ts'
import type { ActiveRun } from './active-run.ts'

/**
 * The runs of a session that wait their turn, in order. Their records say so: `position`, and what each waits for; they
 * are handed to `changed` whenever either is another.
 */
export interface RunQueue extends Iterable<ActiveRun> {
  readonly first: ActiveRun | undefined
  readonly length: number
  /** Bytes of the prompts that wait here. */
  readonly promptBytes: number
  push(...runs: ActiveRun[]): void
  /** Takes the first one out, which is no longer queued. */
  shift(): ActiveRun | undefined
  /** Does nothing where it is not queued. */
  remove(run: ActiveRun): void
  /** Answers its new place: `to`, or the last. */
  move(run: ActiveRun, to: number): number
  find(run: string): ActiveRun | undefined
  /** What the first one waits for now; undefined: nothing any more. The others wait for those before them. */
  waitFor(what: WaitingFor | undefined): void
}

export function createRunQueue(changed: (run: ActiveRun) => void): RunQueue {
  let runs: ActiveRun[] = []
  let waitingFor: WaitingFor | undefined

  function renumber() {
    for (const [position, run] of runs.entries()) {
      const before = run.stored.run
      const what = position === 0 ? waitingFor : 'session'
      if (before.position === position && before.waitingFor === what) continue
      const { waitingFor: _, ...record } = before
      run.stored = { ...run.stored, run: { ...record, position, ...(what && { waitingFor: what }) } }
      changed(run)
    }
  }

  return {
    [Symbol.iterator]: () => runs[Symbol.iterator](),
    get first() {
      return runs[0]
    },
    get length() {
      return runs.length
    },
    get promptBytes() {
      return runs.reduce((sum, { stored }) => sum + Buffer.byteLength(stored.run.prompt), 0)
    },
    push(...more) {
      runs.push(...more)
      renumber()
    },
    shift() {
      const run = runs.shift()
      renumber()
      return run
    },
    remove(run) {
      if (!runs.includes(run)) return
      runs = runs.filter(each => each !== run)
      renumber()
    },
    move(run, to) {
      const others = runs.filter(each => each !== run)
      const place = Math.min(to, others.length)
      runs = others.toSpliced(place, 0, run)
      renumber()
      return place
    },
    find: id => runs.find(({ stored }) => stored.run.run === id),
    waitFor(what) {
      waitingFor = what
      renumber()
    },
  }
}

/** As they stood before the daemon was started; those of an older muxd, which had no places, in the order they came. */
export const inQueueOrder = (runs: readonly ActiveRun[]): ActiveRun[] =>
  runs.toSorted((one, other) => (one.stored.run.position ?? 0) - (other.stored.run.position ?? 0))
