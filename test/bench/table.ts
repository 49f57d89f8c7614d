import type { BenchLine } from './bench-line.ts'

const columns: { head: string; width: number; cell(line: BenchLine): string }[] = [
  { head: 'goal', width: 4, cell: line => line.goal },
  { head: 'what', width: 44, cell: line => line.what },
  { head: 'measured', width: 10, cell: line => line.value },
  { head: 'reference', width: 24, cell: line => line.reference },
  { head: 'ratio', width: 6, cell: line => (line.ratio === undefined ? '' : significant(line.ratio)) },
  { head: 'floor', width: 5, cell: line => line.floor ?? '' },
  { head: 'aim', width: 6, cell: line => line.aim ?? '' },
]

/** The lines as text for a terminal of 120 columns. */
export function table(lines: readonly BenchLine[]): string {
  const rows = lines.map(line => row(columns.map(({ cell }) => cell(line))))
  return [row(columns.map(({ head }) => head)), row(columns.map(({ width }) => '-'.repeat(width))), ...rows].join('\n')
}

/** One row, as many text lines high as its longest cell. */
function row(cells: string[]): string {
  const wrapped = cells.map((cell, index) => wrap(cell, columns[index]!.width))
  const height = Math.max(...wrapped.map(({ length }) => length))
  return Array.from({ length: height }, (_, at) =>
    columns
      .map(({ width }, index) => (wrapped[index]![at] ?? '').padEnd(width))
      .join('  ')
      .trimEnd(),
  ).join('\n')
}

function wrap(text: string, width: number): string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1)!
    if (last === '') lines[lines.length - 1] = word
    else if (last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

const significant = (value: number) => (value >= 10 ? value.toFixed(1) : value.toFixed(2))
