import type { Role } from '../../protocol/index.ts'

/**
 * Bytes of answers that the connections of a role have asked for and not taken, all together: what many connections that
 * do not read can make the daemon hold, beyond the bound of each. Added up anew once in an event-loop turn, and only when
 * somebody asks.
 */
export interface RoleUnread {
  bytes(role: Role): number
  /** An answer was queued. */
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
