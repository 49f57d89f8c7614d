import type { Approval } from '../../protocol/index.ts'
import { onAbort } from './abort.ts'
import { followCollection, readPages } from './collection.ts'
import type { RpcError } from './errors.ts'
import { iterate } from './iterate.ts'
import { randomKey } from './random-key.ts'
import type { CallOptions, Link } from './reconnect.ts'
import type { Subscribe } from './topics.ts'

/** A question of Claude Code's that awaits an answer, and how to give it. The fields are those it was asked with. */
export interface PendingApproval extends Readonly<Approval> {
  /**
   * Yes: with another `input`, with `answers` to a question, with what it suggests to `remember`. Rejects with `RpcError`
   * (`conflict`: somebody was first, `data` says who). A lost answer is given again, and counts once.
   */
  allow(answer?: AllowOptions): Promise<Approval>
  /** No, and why: Claude reads the message. */
  deny(message?: string, options?: CallOptions & { interrupt?: boolean }): Promise<Approval>
  /** The record once it was answered, by whomever, or withdrawn. Rejects when the iteration that gave it ends before. */
  readonly resolved: Promise<Approval>
}

export interface AllowOptions extends CallOptions {
  input?: Record<string, unknown>
  answers?: Record<string, string | string[]>
  remember?: boolean
}

/**
 * What awaits an answer, each once, in the order in which it was asked: first what does so already, then what comes, over
 * any number of lost connections and restarted daemons. What was answered before it is taken here is left out.
 */
export type Approvals = (options?: {
  /** Only those of this session. */
  session?: string | undefined
  signal?: AbortSignal | undefined
}) => AsyncIterableIterator<PendingApproval>

export function createApprovals(link: Link, subscribe: Subscribe): Approvals {
  async function* follow(stop: AbortSignal, session: string | undefined): AsyncGenerator<PendingApproval, void> {
    const ask = <T>(method: string, params: object) =>
      link.call(method, params, { signal: stop, repeatable: true }) as Promise<T>
    // What was found and is not resolved, by id; of that what was not taken.
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

    /** As it is now; with its session it may be gone. */
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
  // Nobody has to wait for it.
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
