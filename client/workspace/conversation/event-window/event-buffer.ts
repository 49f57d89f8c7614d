import type { Event, Gap } from '../../../sdk/browser.ts'
import { charactersOf, shorten } from '../model/shorten.ts'

export type Entry = Event | Gap

/** The entries of an event window, shortened: a contiguous part of a log, whose owner drops entries when it is full. */
export interface EventBuffer {
  readonly entries: readonly Entry[]
  /** 0 without entries. */
  readonly firstSeq: number
  readonly lastSeq: number
  /** More entries or characters than the bounds allow. */
  readonly isFull: boolean
  /** Returns the entry as it is kept. */
  append(entry: Entry): Entry
  prepend(events: readonly Event[]): void
  /** Replaces the event with the same seq. Returns false if there is none. */
  replace(event: Event): boolean
  /** Drops the oldest entries down to 60 % of the bounds. */
  dropOldest(): void
  /** Drops the newest entries until it is no longer full. */
  dropNewest(): void
  clear(): void
}

export interface BufferBounds {
  maxEvents: number
  maxCharacters: number
}

export function createEventBuffer({ maxEvents, maxCharacters }: BufferBounds): EventBuffer {
  let entries: Entry[] = []
  // The characters of each entry, and their sum.
  let sizes: number[] = []
  let size = 0

  const isAbove = (share: number, count = entries.length) => count > maxEvents * share || size > maxCharacters * share

  return {
    get entries() {
      return entries
    },
    get firstSeq() {
      return seqOf(entries[0])
    },
    get lastSeq() {
      return seqOf(entries.at(-1))
    },
    get isFull() {
      return isAbove(1)
    },
    append(entry) {
      const kept = entry.type === 'gap' ? entry : shorten(entry)
      const characters = charactersOf(kept)
      entries.push(kept)
      sizes.push(characters)
      size += characters
      return kept
    },
    prepend(events) {
      const kept = events.map(shorten)
      const added = kept.map(charactersOf)
      entries = [...kept, ...entries]
      sizes = [...added, ...sizes]
      size += added.reduce((sum, each) => sum + each, 0)
    },
    replace(event) {
      const at = entries.findIndex(entry => entry.type !== 'gap' && entry.seq === event.seq)
      if (at < 0) return false
      const characters = charactersOf(event)
      entries[at] = event
      size += characters - sizes[at]!
      sizes[at] = characters
      return true
    },
    dropOldest() {
      let count = 0
      while (isAbove(0.6, entries.length - count)) size -= sizes[count++]!
      entries = entries.slice(count)
      sizes = sizes.slice(count)
    },
    dropNewest() {
      while (isAbove(1)) {
        entries.pop()
        size -= sizes.pop()!
      }
    },
    clear() {
      entries = []
      sizes = []
      size = 0
    },
  }
}

/** The seq of an event, or of the last event that a gap stands for; 0 without an entry. */
const seqOf = (entry: Entry | undefined) => (!entry ? 0 : entry.type === 'gap' ? entry.to : entry.seq)
