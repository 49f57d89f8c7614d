import type { OperatorPresence } from './operator-presence.ts'
import type { Agent } from '../agents/agent.ts'
import type { Config } from '../config.ts'
import type { Home } from '../home/home.ts'
import type { PtyHost } from '../pty-host/pty-host.ts'
import type { Log } from '../log/log.ts'
import type { Journal } from '../store/journal/journal.ts'
import type { Store, StoredRun } from '../store/store.ts'
import type { Scheduler } from './scheduling/scheduler.ts'
import type { ConversationLocks } from './conversation-lock/locks.ts'
import type { Ticker } from './effects/ticker.ts'

/** What every session works with. */
export interface SessionContext {
  store: Store
  journal: Journal
  ptyHost: PtyHost
  scheduler: Scheduler
  operatorPresence: OperatorPresence
  conversationLocks: ConversationLocks
  /** The agent of the session. */
  agent: Agent
  config: Config
  /** Identifies this program: what another has derived from output may differ, and that is no damage. */
  build: string
  home: Home
  /** Directory of the raw logs. */
  processesDir: string
  log: Log
  /** The one timer of all sessions. */
  ticker: Ticker
  /** Readers may see these runs now. */
  onPublished(runs: readonly StoredRun[]): void
  /** Its process has printed something. */
  onOutput(session: string): void
  /** Its process has nothing to do for now. */
  onProcessIdle(): void
  /** Something of it could not be stored for want of room. */
  onDiskFull(detail: string): void
  /** The session could not be stored with its first entry: it does not exist. */
  onUnmade(session: string): void
  /** The session has nothing to do any more and may be forgotten until it is asked for again. */
  onIdle(session: string): void
}
