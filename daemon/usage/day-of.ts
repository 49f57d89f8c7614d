/**
 * Returns a function that gives the day (`YYYY-MM-DD`) in a time zone at a time (ms since epoch). A day has 23 or 25
 * hours when the clocks change. Throws `RangeError` for a time zone that does not exist.
 */
export function createDayOf(timeZone: string): (time: number) => string {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'iso8601',
    numberingSystem: 'latn',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  })
  return time => {
    const parts = new Map(format.formatToParts(time).map(({ type, value }) => [type, value]))
    return `${parts.get('year')}-${parts.get('month')}-${parts.get('day')}`
  }
}
