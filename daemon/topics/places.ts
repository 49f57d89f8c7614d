/** Where a reader of a process's output may begin, and how many lines lie before it. */
export interface Place {
  count: number
  offset: number
}

/** As far apart as what is decoded at once: so much has to be read at most to get to a line. */
export const placeBytes = 256 * 1024

export const start: Place = { count: 0, offset: 0 }
