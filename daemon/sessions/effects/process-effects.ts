import { nanoid } from 'nanoid'
import type { Session } from '../../../protocol/index.ts'
import type { LaunchMode } from '../../agents/agent.ts'
import { openTemporary } from '../../home/temporary-place.ts'
import { launchModeOf, idOf } from '../launch/launch-mode.ts'
import { checkStart } from '../launch/check-start.ts'
import { hasPrinted } from '../recovery/history.ts'
import { withLeft } from '../left-processes.ts'
import type { Effect } from '../machine/effect.ts'
import type { ProcessFact, WorldFact } from '../machine/input.ts'
import type { ProcessState } from '../machine/fold/state.ts'
import { counterBefore } from '../launch/cost-counter.ts'
import { conversationKey, type SessionLock } from '../conversation-lock/session-lock.ts'
import { isDiskFull, startFailure, storageFailure } from './own-failures.ts'
import { withReportedMode } from '../launch/permission-mode.ts'
import type { SessionContext } from '../session-context.ts'
import {
  adoptAgentProcess,
  type AgentProcess,
  type OutputSink,
  readEndedProcess,
  startAgentProcess,
} from './agent-process.ts'

export type ProcessEffect = Extract<
  Effect,
  {
    effect:
      | 'prepare'
      | 'start'
      | 'send'
      | 'end_input'
      | 'signal'
      | 'kill'
      | 'abandon'
      | 'discard'
      | 'clear'
      | 'end_left'
      | 'note'
      | 'hold_conversation'
      | 'release_conversation'
      | 'read_again'
  }
>

type Fact = ProcessFact | WorldFact

/** The process of a session: its handle in the pty-host, and the reader of its output. */
export interface ProcessEffects {
  carryOut(effect: ProcessEffect): void
  /**
   * Returns the handle of a process whose record has no end. `starting`: this daemon is starting it. `gone`: it has
   * ended. Null: it was never started.
   */
  find(process: ProcessState): 'starting' | AgentProcess | 'gone' | null
  /** Takes over a process that an earlier daemon started. Reads no output: `read` does. */
  adopt(process: ProcessState): void
  /** Begins to read the output of the adopted process, from the checkpoint on. */
  read(process: ProcessState): void
  /**
   * Kills a process whose output could not be stored, at once and without waiting for a commit. Passes no more of its
   * output.
   */
  fallBehind(process: string): void
  /** Resolves when nothing is being prepared, started, or cleared any more. */
  settled(): Promise<void>
  /** Stops reading, and leaves the processes running. */
  leave(): Promise<void>
}

export interface ProcessEffectsOptions {
  context: SessionContext
  session: string
  lock: SessionLock
  /** Return the current record of the session and its process. */
  record(): Session
  process(): ProcessState | null
  post(fact: Fact): void
  /** Called when an effect has failed, or the output of the process cannot be read. */
  failed(error: unknown): void
}

export function createProcessEffects(options: ProcessEffectsOptions): ProcessEffects {
  const { context, session, lock, post } = options
  const { agent, config, log, processesDir, ptyHost, store } = context
  const prepared = new Map<string, { path: string; conversation: LaunchMode }>()
  const handles = new Map<string, AgentProcess>()
  const starting = new Set<string>()
  const underWay = new Set<Promise<void>>()
  // Processes whose output is ignored.
  const unread = new Set<string>()

  function follow(work: Promise<void>) {
    const done = work.catch(options.failed).finally(() => void underWay.delete(done))
    underWay.add(done)
  }

  async function prepare(process: string): Promise<void> {
    const record = options.record()
    const conversation = launchModeOf(record, crypto.randomUUID())
    const id = idOf(conversation)
    const key = conversationKey(agent, record.options.env, id)
    try {
      const counterUsd = await counterBefore(agent, conversation, key, record)
      checkStart(agent, record, config)
      const { path } = await agent.locate()
      await lock.take(key, process)
      prepared.set(process, { path, conversation })
      const launch = {
        claudeSessionId: record.conversationId,
        costUsd: record.costUsd,
        counterUsd,
        resumed: !('start' in conversation),
      }
      const nonce = nanoid(16).replaceAll(/[^A-Za-z0-9]/g, 'x')
      post({ input: 'prepared', process, nonce, launch, conversation: id, oneShot: config.idleCloseMs === 0 })
    } catch (error) {
      post({ input: 'start_failed', process, failure: startFailure(agent, error) })
    }
  }

  async function start(id: string): Promise<void> {
    const process = options.process()
    const found = prepared.get(id)
    prepared.delete(id)
    if (process?.id !== id || !found) return
    starting.add(id)
    const record = options.record()
    let started: AgentProcess
    try {
      started = await startAgentProcess(
        {
          ...context,
          ...found,
          id,
          nonce: process.nonce,
          cwd: record.cwd,
          tmpDir: openTemporary(context.home, session),
          options: withReportedMode(agent, record, config),
          limits: process.limits,
        },
        sinkOf(id),
      )
    } catch (error) {
      starting.delete(id)
      return post({ input: 'start_failed', process: id, failure: startFailure(agent, error) })
    }
    starting.delete(id)
    handles.set(id, started)
    post({ input: 'started', process: id, pid: started.pid, startedAt: started.startedAt })
    if (!unread.has(id)) started.follow()
  }

  function sinkOf(process: string): OutputSink {
    const unlessUnread = (fact: Fact) => {
      if (!unread.has(process)) post(fact)
    }
    return {
      lines(lines, offset) {
        unlessUnread({ input: 'output', process, lines, offset })
        context.onOutput(session)
      },
      caughtUp: () => unlessUnread({ input: 'caught_up', process }),
      failed(error) {
        if (!unread.has(process)) options.failed(error)
      },
      stalled(error) {
        if (isDiskFull(error)) context.onDiskFull((error as Error).message)
        unlessUnread({ input: 'stalled', process, failure: storageFailure(agent, error) })
      },
      ended({ status, stderrTail, lost }) {
        handles.delete(process)
        post({ input: 'exited', process, status, stderrTail, lost })
      },
    }
  }

  async function clear(process: string, spareDetached: boolean): Promise<void> {
    const found = await ptyHost.clear(process, { spareDetached }).catch((error: unknown) => {
      log.error('the processes that a process has left behind could not be ended', { process, error })
      return []
    })
    const { left } = found.length > 0 ? withLeft(options.record(), found) : {}
    post({ input: 'cleared', process, ...(left && { left }) })
  }

  async function endLeft(): Promise<void> {
    const ids = store.processes.ofSession(session).map(({ id }) => id)
    try {
      await ptyHost.endLeft(ids, options.record().left?.processes ?? [])
    } catch (error) {
      log.error('the processes that a session has left behind could not be ended', { session, error })
    }
    post({ input: 'left_ended' })
  }

  function discard(process: string) {
    unread.add(process)
    const handle = handles.get(process)
    handles.delete(process)
    if (handle) return void handle.discard()
    const held = ptyHost.list().find(({ id }) => id === process)
    held
      ?.kill()
      .then(() => held.release())
      .catch((error: unknown) => log.error('a process could not be ended', { process, error }))
  }

  function readFrom(id: string, nonce: string, from: number) {
    unread.delete(id)
    readEndedProcess(id, { agent, log, processesDir, nonce, from }, sinkOf(id))
  }

  function readAgain(id: string, nonce: string, offset: number) {
    try {
      readFrom(id, nonce, offset)
    } catch (error) {
      options.failed(error)
    }
  }

  return {
    carryOut(effect) {
      switch (effect.effect) {
        case 'prepare':
          return follow(prepare(effect.process))
        case 'start':
          return follow(start(effect.process))
        case 'send':
          return handles.get(effect.process)?.send(effect.line, effect.lineId)
        case 'end_input':
          return handles.get(effect.process)?.endInput()
        case 'signal':
          return void handles.get(effect.process)?.signal(effect.signal)
        case 'kill':
          return void handles.get(effect.process)?.kill()
        case 'abandon':
          return void handles.get(effect.process)?.abandon()
        case 'discard':
          return discard(effect.process)
        case 'note':
          return handles.get(effect.process)?.note()
        case 'clear':
          return follow(clear(effect.process, effect.spareDetached))
        case 'end_left':
          return follow(endLeft())
        case 'hold_conversation': {
          const { process, conversation } = effect
          const pid = handles.get(process)?.pid
          const key = conversationKey(agent, options.record().options.env, conversation)
          if (pid !== undefined) lock.hold(key, process, pid)
          return
        }
        case 'release_conversation':
          if (effect.process !== null) prepared.delete(effect.process)
          return lock.release(effect.process)
        case 'read_again': {
          const { process, offset } = effect
          const nonce = options.process()?.nonce
          // Not while effects are carried out: the lines would wait, and be stored as one entry instead of in portions.
          if (nonce !== undefined) setImmediate(() => readAgain(process, nonce, offset))
          return
        }
        default:
          effect satisfies never
      }
    },

    find({ id, offset }) {
      if (starting.has(id)) return 'starting'
      const handle = handles.get(id)
      if (handle) return handle
      return hasPrinted(processesDir, { id, offset }) ? 'gone' : null
    },

    adopt({ id, nonce, offset }) {
      if (!hasPrinted(processesDir, { id, offset })) return
      const held = ptyHost.list().find(process => process.id === id)
      if (held) handles.set(id, adoptAgentProcess(held, { agent, log, processesDir, nonce, from: offset }, sinkOf(id)))
    },

    read({ id, nonce, offset }) {
      const handle = handles.get(id)
      if (handle) handle.follow()
      else readFrom(id, nonce, offset)
    },

    fallBehind(process) {
      unread.add(process)
      void handles.get(process)?.abandon()
    },

    async settled() {
      while (underWay.size > 0) await Promise.all(underWay)
      await lock.settled()
    },

    async leave() {
      for (const handle of handles.values()) handle.unfollow()
      // Prepared processes are not started any more.
      for (const id of prepared.keys()) lock.release(id)
      await lock.settled()
    },
  }
}
