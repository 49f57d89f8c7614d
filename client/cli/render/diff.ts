/** A line of a difference: removed, added, or the same in both. */
export interface DiffLine {
  sign: '-' | '+' | ' '
  text: string
}

/**
 * Returns the difference between two texts: the lines between their common beginning and end, with `around` common
 * lines on each side.
 */
export function diffOf(before: string, after: string, around = 2): DiffLine[] {
  const [old, now] = [linesOf(before), linesOf(after)]
  const most = Math.min(old.length, now.length)
  let head = 0
  while (head < most && old[head] === now[head]) head++
  let tail = 0
  while (tail < most - head && old.at(-1 - tail) === now.at(-1 - tail)) tail++
  const line = (sign: DiffLine['sign']) => (text: string) => ({ sign, text })
  return [
    ...old.slice(Math.max(0, head - around), head).map(line(' ')),
    ...old.slice(head, old.length - tail).map(line('-')),
    ...now.slice(head, now.length - tail).map(line('+')),
    ...old
      .slice(old.length - tail)
      .slice(0, around)
      .map(line(' ')),
  ]
}

/** A final newline ends its line and begins no other. */
const linesOf = (text: string) => (text === '' ? [] : text.replace(/\n$/, '').split('\n'))
