import type { Calm } from './calm.ts'
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

/** Judges what was measured; throws when that was too little. `peaks`: the highest while work went on. */
export function figuresOf(calms: readonly Calm[], peaks: Holdings): Figure[] {
  const longest = longestLived(calms)
  const holdings = (Object.keys(slacks) as (keyof Holdings)[]).map(name =>
    figure(
      `daemon: ${names[name]}`,
      longest.map(({ daemon }) => daemon[name]),
      slacks[name],
      peaks[name],
    ),
  )
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

/** Each third calm deletes all sessions. */
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

const names: Record<keyof Holdings, string> = {
  descriptors: 'file descriptors',
  threads: 'threads',
  ptys: 'PTYs',
  rssMiB: 'RSS, MiB',
}

/** A process that was started anew says nothing of what the one before it had gathered. */
function longestLived(calms: readonly Calm[]): readonly Calm[] {
  const lives = [...new Set(calms.map(({ pid }) => pid))].map(life => calms.filter(({ pid }) => pid === life))
  return lives.reduce((one, other) => (other.length > one.length ? other : one))
}

function figure(what: string, samples: number[], slackOf: (first: number) => number, peak: number): Figure {
  return { what, ...judge(samples, slackOf), most: Math.max(...samples), peak }
}

/** Of what there must not be any, ever. */
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
