/**
 * The newest texts of a log, contiguous, with `seq` from `first()` to `head()`. They cost one array. The owner drops
 * the oldest texts to bound the size, and reads them elsewhere if they are still needed.
 */
export interface RecentTexts {
  first(): number
  head(): number
  bytes(): number
  push(text: string): void
  /** Drops the oldest text. */
  shift(): void
  /** Texts of `after + 1 …`, like `TopicLog.read`. `after` must not be below `first() - 1`. */
  read(after: number, limit: number, maxBytes: number): string[]
  at(seq: number): string | undefined
}

export function createRecentTexts(head: number): RecentTexts {
  let texts: string[] = []
  // Texts before `start` are dropped. The array is cut now and then, so that a drop does not move all the others.
  let start = 0
  let first = head + 1
  let bytes = 0
  const headNow = () => first + (texts.length - start) - 1

  return {
    first: () => first,
    head: headNow,
    bytes: () => bytes,
    push(text) {
      texts.push(text)
      bytes += text.length
    },
    shift() {
      if (start === texts.length) return
      bytes -= texts[start]!.length
      texts[start++] = ''
      first++
      if (start >= 64 && start * 2 >= texts.length) {
        texts = texts.slice(start)
        start = 0
      }
    },
    read(after, limit, maxBytes) {
      const from = start + (after + 1 - first)
      const until = Math.min(texts.length, from + limit)
      let to = from
      let size = 0
      while (to < until && size <= maxBytes) size += Buffer.byteLength(texts[to++]!)
      return texts.slice(from, to)
    },
    at: seq => (seq < first || seq > headNow() ? undefined : texts[start + seq - first]),
  }
}
