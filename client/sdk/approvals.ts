import type { Approval } from '../../protocol/index.ts'
import { onAbort } from './abort.ts'
import { followCollection, readPages } from './collection.ts'
import type { RpcError } from './errors.ts'
import { iterate } from './iterate.ts'
import { randomKey } from './random-key.ts'
import type { CallOptions, Link } from './reconnect.ts'
import type { Subscribe } from './topics.ts'

/**
 * An open question of Claude Code, with methods to answer it. The fields do not change when the question is answered.
 */
export interface PendingApproval extends Readonly<Approval> {
  /**
   * Answers yes. `input` replaces the input of the tool, `answers` answer a question, and `remember` grants the
   * permissions in `suggestions`. Rejects with `RpcError`; its kind is `conflict` if the question was resolved before,
   * and `data.by` says by whom. If the connection breaks before the reply, the answer is sent again and counts once.
   */
  allow(answer?: AllowOptions): Promise<Approval>
  /** Answers no. Claude reads the message. With `interrupt`, its turn ends as well. Rejects as `allow` does. */
  deny(message?: string, options?: CallOptions & { interrupt?: boolean }): Promise<Approval>
  /**
   * Resolves with the record when the question was answered by any client, expired or was withdrawn. Rejects if the
   * iteration that yielded this object ends first.
   */
  readonly resolved: Promise<Approval>
}

export interface AllowOptions extends CallOptions {
  input?: Record<string, unknown>
  answers?: Record<string, string | string[]>
  remember?: boolean
}

/**
 * Iterates over the open questions, each once, in the order in which they were asked: first those that are open
 * already, then new ones. Continues over lost connections and restarts of the daemon. Skips a question that is answered
 * before the caller takes it.
 */
export type Approvals = (options?: {
  /** Only questions of this session. */
  session?: string | undefined
  signal?: AbortSignal | undefined
}) => AsyncIterableIterator<PendingApproval>

export function createApprovals(link: Link, subscribe: Subscribe): Approvals {
  async function* follow(stop: AbortSignal, session: string | undefined): AsyncGenerator<PendingApproval, void> {
    const ask = <T>(method: string, params: object) =>
      link.call(method, params, { signal: stop, repeatable: true }) as Promise<T>
    // The known questions that are not resolved, by id, and the ones among them that the caller has not taken.
    const open = new Map<string, Handle>()
    const untaken: Handle[] = []
    let failure: { error: unknown } | undefined
    let wake = () => {}
    const fail = (error: unknown) => {
      failure ??= { error }
      wake()
    }

    const note = (approval: Approval) => {
      const id = approval.approval
      const known = open.get(id)
      if (approval.state !== 'pending') {
        open.delete(id)
        known?.settle(approval)
      } else if (!known) {
        const handle = createHandle(link, approval)
        open.set(id, handle)
        untaken.push(handle)
        wake()
      }
    }

    /** Reads the current record. If its session was deleted, the approval no longer exists and counts as withdrawn. */
    const renewed = (last: Approval) =>
      ask<Approval>('approval.get', { approval: last.approval }).catch((error: unknown): Approval => {
        if ((error as RpcError).kind !== 'not_found') throw error
        return { ...last, state: 'resolved', decision: 'withdrawn' }
      })

    async function list(): Promise<void> {
      const found = await readPages(
        from => ask<{ approvals: Approval[]; next?: string }>('approval.list', { session, ...from }),
        page => page.approvals,
      )
      const pending = new Map(found.map(approval => [approval.approval, approval]))
      for (const [id, { approval }] of [...open]) if (!pending.has(id)) note(await renewed(approval))
      for (const approval of [...pending.values()].reverse()) note(approval)
    }

    /** Runs by itself, so that an answered approval resolves even when the caller does not iterate further. */
    const keepUp = () =>
      followCollection({
        connection: link,
        subscribe,
        topic,
        head: async () => {
          const page = { topic, after: Number.MAX_SAFE_INTEGER, limit: 1 }
          const { epoch, head: seq } = await ask<{ epoch: string; head: number }>('topic.read', page)
          return { epoch, seq }
        },
        list,
        async change(event) {
          if (event.type !== 'approval_changed') return
          const { approval } = event
          if (session === undefined || approval.session === session)
            note('cut' in event ? await renewed(approval) : approval)
        },
        signal: stop,
      })

    const detach = onAbort(stop, fail)
    keepUp().catch(fail)
    try {
      for (;;) {
        if (failure) throw failure.error
        const handle = untaken.shift()
        if (!handle) await new Promise<void>(resolve => (wake = resolve))
        else if (open.has(handle.approval.approval)) yield handle.approval
      }
    } finally {
      detach()
      for (const { abandon } of open.values()) abandon(failure?.error)
    }
  }

  return ({ session, signal } = {}) => iterate(signal, stop => follow(stop, session))
}

const topic = 'sessions'

interface Handle {
  approval: PendingApproval
  settle(resolved: Approval): void
  abandon(why: unknown): void
}

function createHandle(link: Link, asked: Approval): Handle {
  let settle = (_resolved: Approval) => {}
  let abandon = (_why: unknown) => {}
  const resolved = new Promise<Approval>((resolve, reject) => {
    settle = resolve
    abandon = reject
  })
  // A rejection without a listener is not an error.
  resolved.catch(() => {})
  const answer = async (given: object, { signal }: CallOptions) => {
    const params = { approval: asked.approval, ...given, key: randomKey() }
    const record = (await link.call('approval.answer', params, { signal })) as Approval
    settle(record)
    return record
  }
  const approval: PendingApproval = {
    ...asked,
    allow: ({ signal, ...given } = {}) => answer({ decision: 'allow', ...given }, { signal }),
    deny: (message, { signal, ...given } = {}) => answer({ decision: 'deny', message, ...given }, { signal }),
    resolved,
  }
  return { approval, settle, abandon }
}
