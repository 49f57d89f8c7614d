import type { limits } from '../../protocol/limits.ts'
import { methods } from '../../protocol/methods.ts'
import type { Handlers } from '../../daemon/rpc/handlers.ts'
import { type RunningServer, startServer } from '../../daemon/server/start-server.ts'
import { topicHandlers } from '../../daemon/topics/handlers.ts'
import type { Hub } from '../../daemon/topics/delivery/hub.ts'
import type { TopicLookup } from '../../daemon/topics/logs/topic-log.ts'
import { fixedTokens } from '../support/fixed-tokens.ts'

/** The daemon's server over the topics of a benchmark, with the methods that read them. */
export const startBenchServer = (
  hub: Hub,
  lookup: TopicLookup,
  changed: Partial<Record<keyof typeof limits, number>> = {},
): Promise<RunningServer> =>
  startServer({
    host: '127.0.0.1',
    port: 0,
    tokens: fixedTokens({ control: 'bench', observe: 'observe' }),
    handlers: {
      ...Object.fromEntries(Object.keys(methods).map(namespace => [namespace, {}])),
      ...topicHandlers(lookup),
    } as unknown as Handlers,
    hub,
    version: '0',
    instance: 'bench',
    node: 'bench',
    agents: () => [],
    limits: changed,
    log: { debug: () => undefined, info: () => undefined, warn: console.error, error: console.error },
  })
