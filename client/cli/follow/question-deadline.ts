import type { EventOf, Mux } from '../../sdk/index.ts'
import { duration } from '../render/format.ts'

/**
 * Says when an open question is denied without an answer. Empty for a question that waits without a limit, and for one
 * that is resolved.
 */
export async function deadlineLines(
  mux: Mux,
  session: string,
  { approval }: EventOf<'approval_requested'>,
): Promise<string[]> {
  const [{ state, requestedAt, expiresAt }, { approvals }] = await Promise.all([
    mux.api.approval.get({ approval }),
    mux.api.session.get({ session }),
  ])
  if (state !== 'pending') return []
  const { unattendedMs = 0 } = mux.hello?.limits ?? {}
  const unattendedAt = approvals?.policy === 'ask' || unattendedMs === 0 ? Infinity : requestedAt + unattendedMs
  if (expiresAt !== null && expiresAt <= unattendedAt) return [`denied at ${clock(expiresAt)} unless answered`]
  if (unattendedAt === Infinity) return []
  // The daemon counts from the time at which the last client that can answer has left, so this time is the earliest.
  // Once it is past, such a client was connected.
  if (unattendedAt <= Date.now()) {
    return [`denied ${duration(unattendedMs)} after the last client that can answer has left, unless answered`]
  }
  return [`denied at ${clock(unattendedAt)} or later unless answered or somebody connects who can be asked`]
}

const clock = (time: number) => new Date(time).toLocaleTimeString([], { hour12: false })
