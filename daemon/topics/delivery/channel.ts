import { textFrame } from './ws-frame.ts'
import type { Channel, Page } from './delivery.ts'
import type { TopicLog } from '../logs/topic-log.ts'

export function createChannel(topic: string, log: TopicLog): Channel {
  // Every page starts with the same text, so building one only adds the texts of its events.
  const opening = `{"jsonrpc":"2.0","method":"events","params":{"topic":${JSON.stringify(topic)},"epoch":${JSON.stringify(log.epoch)},"events":[`
  const pages = new Map<string | number, Page>()
  // Live subscribers ask for the same page one after the other; keeping the latest one spares them the look-up.
  let latest: Page | undefined
  let latestMaxBytes = 0

  const build = (after: number, texts: readonly string[]): Page => {
    const parts = new Map<number, Page>()
    let sizes: number[] | undefined
    return {
      after,
      to: after + texts.length,
      frame: textFrame(`${opening}${texts.length === 1 ? texts[0] : texts.join(',')}]}}`),
      sizes: () => (sizes ??= texts.map(text => Buffer.byteLength(text))),
      part(count) {
        if (count === texts.length) return this
        let part = parts.get(count)
        if (part === undefined) {
          part = build(after, texts.slice(0, count))
          parts.set(count, part)
        }
        return part
      },
    }
  }

  return {
    topic,
    log,
    subscriptions: new Set(),
    page(after, maxBytes) {
      if (latest !== undefined && latest.after === after && latestMaxBytes === maxBytes) return latest
      const from = Math.max(after, log.first() - 1)
      if (from >= log.head()) return undefined
      const key = `${from} ${maxBytes}`
      let page = pages.get(key)
      if (page === undefined) {
        const texts = log.read(from, Infinity, maxBytes)
        if (texts.length === 0) throw new Error(`${topic}: nothing to read after ${from} of ${log.head()}`)
        page = build(from, texts)
        pages.set(key, page)
      }
      latest = page
      latestMaxBytes = maxBytes
      return page
    },
    hasMore: after => Math.max(after, log.first() - 1) < log.head(),
    forgetPages() {
      pages.clear()
      latest = undefined
    },
  }
}
