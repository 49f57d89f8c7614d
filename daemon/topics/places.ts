import { existsSync } from 'node:fs'
import { numberBytes, openPacked } from '../holder/pack.ts'

/** Where a reader of a process's output may begin, and how many lines lie before it. */
export interface Place {
  count: number
  offset: number
}

/** As far apart as what is decoded at once: so much has to be read at most to get to a line. */
export const placeBytes = 256 * 1024

export const start: Place = { count: 0, offset: 0 }

const entryBytes = 2 * numberBytes

/** Places as they stand in a pack. */
export function encodePlaces(places: readonly Place[]): Buffer {
  const bytes = Buffer.alloc(places.length * entryBytes)
  places.forEach(({ count, offset }, index) => {
    bytes.writeUIntLE(count, index * entryBytes, numberBytes)
    bytes.writeUIntLE(offset, index * entryBytes + numberBytes, numberBytes)
  })
  return bytes
}

/** The places of a pack, the start before them; damaged or not there, only that. */
export function readPlaces(pack: string): [Place, ...Place[]] {
  const places: [Place, ...Place[]] = [start]
  if (!existsSync(pack)) return places
  const file = openPacked(pack, 'places')
  const bytes = Buffer.alloc(file.sizeBytes())
  const length = file.read(bytes, bytes.length, 0)
  file.close()
  for (let at = 0; at + entryBytes <= length; at += entryBytes) {
    const place = { count: bytes.readUIntLE(at, numberBytes), offset: bytes.readUIntLE(at + numberBytes, numberBytes) }
    if (place.offset > places.at(-1)!.offset) places.push(place)
  }
  return places
}
