const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`, `4 d 2 h`. */
export function duration(ms: number): string {
  if (ms < 10_000) return `${(Math.max(0, ms) / 1_000).toFixed(1)} s`
  if (ms < minute) return `${Math.floor(ms / 1_000)} s`
  if (ms < hour) return both(ms, minute, 'min', 1_000, 's')
  if (ms < day) return both(ms, hour, 'h', minute, 'min')
  return both(ms, day, 'd', hour, 'h')
}

function both(ms: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((ms % large) / small)
  return `${Math.floor(ms / large)} ${largeName}${rest ? ` ${rest} ${smallName}` : ''}`
}

/** `just now`, `12 s ago`, `4 min ago`, `2 h ago`; from one day on the date. Both times are in ms since epoch. */
export function ago(at: number, now: number): string {
  const ms = now - at
  if (ms < 5_000) return 'just now'
  if (ms < minute) return `${Math.floor(ms / 1_000)} s ago`
  if (ms < hour) return `${Math.floor(ms / minute)} min ago`
  if (ms < day) return `${Math.floor(ms / hour)} h ago`
  return new Date(at).toLocaleDateString(undefined, { day: 'numeric', month: 'short', year: 'numeric' })
}

/** `$0.0042`, `$1.24`, `$1,204`. */
export function usd(amount: number): string {
  if (amount === 0) return '$0'
  if (amount < 0.01) return `$${amount.toFixed(4)}`
  if (amount < 1_000) return `$${amount.toFixed(2)}`
  return `$${Math.round(amount).toLocaleString('en-US')}`
}

/** `940`, `12.4 k`, `3.1 M`. */
export function count(value: number): string {
  if (value < 1_000) return String(Math.round(value))
  if (value < 1_000_000) return `${(value / 1_000).toFixed(value < 100_000 ? 1 : 0)} k`
  return `${(value / 1_000_000).toFixed(1)} M`
}

/** `812 B`, `4.2 kB`, `18 MB`. */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let index = 0
  let rest = value
  while (rest >= 1_000 && index < units.length - 1) {
    rest /= 1_000
    index++
  }
  return `${index === 0 || rest >= 10 ? Math.round(rest) : rest.toFixed(1)} ${units[index]}`
}

/** Shortens a path to `most` characters: keeps its last part and cuts the directories before it. */
export function shortPath(path: string, most: number): string {
  if (path.length <= most) return path
  // Text that is no path is cut at its end.
  if (!path.includes('/') || /\s/.test(path)) return `${path.slice(0, most - 1)}…`
  const name = path.slice(path.replace(/\/+$/, '').lastIndexOf('/') + 1)
  const room = most - name.length - 2
  if (room < 1) return `${name.slice(0, most - 1)}…`
  return `${path.slice(0, room)}…/${name}`
}

/** Returns the first line that is not blank, cut after `most` characters. */
export const oneLine = (text: string, most = 200): string => {
  const line = text.trim().split('\n', 1)[0]!.trim()
  return line.length > most ? `${line.slice(0, most)}…` : line
}

/** Returns the text shown for an error. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
