import type { Role } from '../../protocol/index.ts'

/**
 * The total size of the answers that the connections of a role have requested but not taken. It bounds what many
 * connections that do not read can make the daemon hold, in addition to the limit of each connection. The sum is
 * computed at most once in an event-loop turn, and only on demand.
 */
export interface RoleUnread {
  bytes(role: Role): number
  /** Adds an answer that was queued after the sum of this turn was computed. */
  queued(role: Role, bytes: number): void
}

export function createRoleUnread(
  connections: Iterable<{ readonly role: Role; unreadAnswerBytes(): number }>,
): RoleUnread {
  let sums: Record<Role, number> | undefined
  const add = () => {
    const added: Record<Role, number> = { control: 0, observe: 0 }
    for (const connection of connections) added[connection.role] += connection.unreadAnswerBytes()
    setImmediate(() => (sums = undefined))
    return added
  }
  return {
    bytes: role => (sums ??= add())[role],
    queued(role, bytes) {
      if (sums !== undefined) sums[role] += bytes
    },
  }
}
