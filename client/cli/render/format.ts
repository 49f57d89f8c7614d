import { homedir } from 'node:os'
import type { Tokens } from '../../../protocol/index.ts'
import { fit, widthOf } from '../screen/text.ts'

export const usd = (amount: number): string => `$${amount === 0 ? '0' : amount.toFixed(amount < 0.1 ? 4 : 2)}`

export function duration(ms: number): string {
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3_600)} h`
}

/** Renders the age `ms` in its largest unit. */
export function age(ms: number): string {
  const [amount, unit] = ages.find(([size]) => ms >= size) ?? [1_000, 's']
  return `${Math.max(0, Math.floor(ms / amount))}${unit}`
}

const ages = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'm'],
] as const

export const tokens = ({ input, output, cacheCreation, cacheRead }: Tokens): string =>
  `${count(input + cacheCreation + cacheRead)} tokens in, ${count(output)} out`

export const count = (amount: number): string => amount.toLocaleString('en-US')

export function bytes(amount: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, amount)) / 10))
  return `${power === 0 ? amount : (amount / 1_024 ** power).toFixed(1)} ${units[power]}`
}

/** Shortens a path: the home directory is `~`. */
export function shortPath(path: string): string {
  const home = homedir()
  return path === home || path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path
}

interface TableStyle {
  numbers?: readonly number[]
  paint?: (text: string, column: number, row: number) => string
}

/**
 * Renders rows under a heading in aligned columns. The columns in `numbers` are aligned at the right. A table wider
 * than `columns` is cut in the column `elastic`. `paint` colours a cell after its width is set; row 0 is the heading.
 */
export function table(
  heading: string[],
  rows: string[][],
  columns: number,
  elastic: number,
  { numbers = [], paint = text => text }: TableStyle = {},
): string[] {
  const all = [heading, ...rows]
  const widths = heading.map((_, index) => Math.max(...all.map(row => widthOf(row[index]!))))
  const excess = widths.reduce((sum, width) => sum + width + 2, -2) - columns
  if (excess > 0) widths[elastic] = Math.max(8, widths[elastic]! - excess)
  const last = heading.length - 1
  return all.map((row, number) =>
    row
      .map((cell, index) => fit(cell, widths[index]!))
      .map((cell, index) => {
        const isNumber = numbers.includes(index)
        const space = index === last && !isNumber ? '' : ' '.repeat(widths[index]! - widthOf(cell))
        const painted = cell === '' ? '' : paint(cell, index, number)
        return isNumber ? space + painted : painted + space
      })
      .join('  ')
      .trimEnd(),
  )
}
