import type { Calm, Measured } from './calm.ts'
import { judge } from './flat.ts'
import { type Holdings, slacks } from './measure.ts'

export interface Figure {
  what: string
  first: number
  last: number
  most: number
  peak: number | undefined
  slack: number
  isFlat: boolean
}

/** The maximum of each measurement while work was going on. */
export type Peaks = Record<keyof typeof programs, Holdings>

/** Judges the measurements. Throws when there are too few. */
export function figuresOf(calms: readonly Calm[], peaks: Peaks): Figure[] {
  const holdings = (Object.keys(programs) as (keyof typeof programs)[]).flatMap(program => {
    const longest = longestLived(calms.map(calm => calm[program]))
    return names.map(([name, what]) =>
      figure(
        `${programs[program]}: ${what}`,
        longest.map(measured => measured[name]),
        slacks[name],
        peaks[program][name],
      ),
    )
  })
  const emptied = calms.filter((_, index) => isEmptying(index))
  return [
    ...holdings,
    none(
      'files of deleted sessions',
      emptied.map(({ processFiles }) => processFiles),
    ),
    none(
      'temporary files',
      calms.map(({ temporaryFiles }) => temporaryFiles),
    ),
  ]
}

/** Every third calm deletes all sessions. */
export const isEmptying = (calm: number): boolean => calm % 3 === 2

export function tableOf(figures: readonly Figure[]): string {
  const head = ['at calm moments', 'first third', 'last third', 'may grow by', 'most', 'peak at work', '']
  const rows = figures.map(({ what, first, last, slack, most, peak, isFlat }) => [
    what,
    ...[first, last, slack, most].map(rounded),
    peak === undefined ? '' : rounded(peak),
    isFlat ? 'flat' : 'NOT FLAT',
  ])
  const widths = head.map((_, index) => Math.max(...[head, ...rows].map(row => row[index]!.length)))
  return [head, ...rows]
    .map(row =>
      row
        .map((cell, at) => (at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** The programs that are measured, and their names in the report. */
const programs = { daemon: 'daemon', ptyHost: 'pty-host' } as const

const names: [keyof Holdings, string][] = [
  ['descriptors', 'file descriptors'],
  ['threads', 'threads'],
  ['ptys', 'PTYs'],
  ['rssMiB', 'RSS, MiB'],
]

/**
 * Returns the samples of the process that lived longest: a new process says nothing about what the one before it held.
 */
function longestLived(measured: readonly Measured[]): readonly Measured[] {
  const lives = [...new Set(measured.map(({ pid }) => pid))].map(life => measured.filter(({ pid }) => pid === life))
  return lives.reduce((one, other) => (other.length > one.length ? other : one))
}

function figure(what: string, samples: number[], slackOf: (first: number) => number, peak: number): Figure {
  return { what, ...judge(samples, slackOf), most: Math.max(...samples), peak }
}

/** A figure that is flat only if every sample is 0. */
function none(what: string, samples: number[]): Figure {
  const most = Math.max(0, ...samples)
  return {
    what,
    first: samples[0] ?? 0,
    last: samples.at(-1) ?? 0,
    most,
    peak: undefined,
    slack: 0,
    isFlat: most === 0,
  }
}

const rounded = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(1))
