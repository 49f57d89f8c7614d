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

/** What a session needs from the rest of the daemon. */
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
  /** Identifies this program. Another program may derive other events from the same output, which is no damage. */
  build: string
  home: Home
  /** Directory of the raw logs. */
  processesDir: string
  log: Log
  /** The one timer of all sessions. */
  ticker: Ticker
  /** Called when readers may see these runs. */
  onPublished(runs: readonly StoredRun[]): void
  /** Called when the session's process has printed something. */
  onOutput(session: string): void
  /** Called when the session's process has become idle. */
  onProcessIdle(): void
  /** Called when something of the session could not be written because the disk is full. */
  onDiskFull(detail: string): void
  /** Called when the first entry of a new session could not be stored: the session does not exist. */
  onUnmade(session: string): void
  /**
   * Called when the session has ended in memory: it has nothing left to do, was deleted, or could not handle a fault.
   * Unless it is deleted, the next call for it loads it again.
   */
  onIdle(session: string): void
}
