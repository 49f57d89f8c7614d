/** A position in a process's output at which reading can start, and the number of lines before it. */
export interface Place {
  count: number
  offset: number
}

/** Distance between positions, in bytes: the amount decoded at once, and the most that is read to reach a line. */
export const placeBytes = 256 * 1024

export const start: Place = { count: 0, offset: 0 }
