/**
 * The day (`YYYY-MM-DD`) that it is in a time zone at a given time (ms since epoch): of 23 or 25 hours where the clocks
 * are changed. Throws `RangeError` for a time zone that does not exist.
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
