import { onTestFinished } from 'vitest'
import { connect, type Mux } from '../../client/sdk/index.ts'
import { type ChaosProxy, startChaosProxy } from './chaos-proxy.ts'
import { startTestDaemon, type TestDaemon } from './daemon.ts'

/** A daemon that clients reach through a proxy. */
export interface Behind {
  daemon: TestDaemon
  proxy: ChaosProxy
  /** A client that connects to the daemon directly. */
  direct: Mux
}

export async function startBehindProxy(): Promise<Behind> {
  const proxy = await startChaosProxy()
  const daemon = await startTestDaemon({ config: proxy.config })
  proxy.aim(Number(new URL(daemon.info.url).port))
  const direct = await connect({ home: daemon.home })
  onTestFinished(() => direct.close())
  return { daemon, proxy, direct }
}

/** Short enough that tests often detect half-open connections, long enough for a busy machine. */
export const hasty = { retryMinMs: 5, retryMaxMs: 100, attemptMs: 1_500, silenceMs: 1_200 }
