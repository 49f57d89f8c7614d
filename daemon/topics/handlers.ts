import { limits } from '../../protocol/limits.ts'
import type { Handlers } from '../rpc/handlers.ts'
import { RpcError } from '../rpc/rpc-error.ts'
import type { TopicLog, TopicLookup } from './logs/topic-log.ts'

/** The methods that read topics. */
export function topicHandlers(lookup: TopicLookup): Pick<Handlers, 'topic' | 'event'> {
  const find = (topic: string): TopicLog => {
    const log = lookup(topic)
    if (log === undefined) throw new RpcError('not_found', `there is no topic ${topic}`, { topic })
    return log
  }
  return {
    topic: {
      subscribe: (params, caller) => caller.subscriptions.subscribe(params),
      unsubscribe({ topic }, caller) {
        caller.subscriptions.unsubscribe(topic)
        return {}
      },
      read({ topic, after, limit }) {
        const log = find(topic)
        const first = log.first()
        const from = Math.max(after, first - 1)
        const texts = from < log.head() ? log.read(from, limit ?? limits.defaultPageSize, limits.readPageBytes) : []
        return { epoch: log.epoch, first, events: texts.map(text => JSON.parse(text) as unknown), head: log.head() }
      },
    },
    event: {
      get({ topic, seq }) {
        const log = find(topic)
        const kept = seq >= log.first() && seq <= log.head()
        const text = kept ? (log.whole?.(seq) ?? log.read(seq - 1, 1, Infinity)[0]) : undefined
        if (text === undefined) throw new RpcError('not_found', `${topic} has no event ${seq}`, { topic, seq })
        return { event: JSON.parse(text) as unknown }
      },
    },
  }
}
