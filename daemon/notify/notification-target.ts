import { Type, type Static } from 'typebox'
import { terminalTypes } from '../../protocol/wire.ts'

/** A target for notifications, and the events that it gets. Exactly one of `command` and `url` is given. */
export const NotificationTarget = Type.Object(
  {
    on: Type.Array(Type.Enum(['approval_requested', ...terminalTypes]), { minItems: 1, uniqueItems: true }),
    /** A program and its arguments, passed as they are, without a shell. */
    command: Type.Optional(Type.Array(Type.String(), { minItems: 1 })),
    /** The URL to post to. */
    url: Type.Optional(Type.String()),
    /** Headers of the post, for example `authorization`. */
    headers: Type.Optional(Type.Record(Type.String(), Type.String())),
    /** How long a command or a post may take. */
    timeoutMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 3_600_000 })),
    /** Only events of sessions that have all of these labels. */
    labels: Type.Optional(Type.Record(Type.String(), Type.String())),
  },
  { additionalProperties: false },
)
export type NotificationTarget = Static<typeof NotificationTarget>

/** Returns the problem of the first invalid target; undefined if all are valid. */
export function problemOfTargets(targets: readonly NotificationTarget[]): string | undefined {
  for (const [index, target] of targets.entries()) {
    const problem = problemOf(target)
    if (problem !== undefined) return `notifications/${index} ${problem}`
  }
  return undefined
}

function problemOf({ command, url, headers }: NotificationTarget): string | undefined {
  if ((command === undefined) === (url === undefined)) return 'needs either a command or a url'
  if (command) {
    if (headers) return 'has headers, which are for a url'
    return command[0] === '' || command.some(part => part.includes('\0'))
      ? 'has a command that cannot be run'
      : undefined
  }
  const parsed = URL.canParse(url!) ? new URL(url!) : undefined
  if (!parsed || !/^https?:$/.test(parsed.protocol)) return 'has a url that is no http or https URL'
  if (parsed.username || parsed.password) return 'has a user or password in its url: send them as headers'
  try {
    void new Headers(headers)
  } catch (error) {
    return `has headers that cannot be sent: ${(error as Error).message}`
  }
  return undefined
}

/** Returns a target's name for the log. Arguments, and everything behind a URL's host, may be secrets. */
export const nameOfTarget = ({ command, url }: NotificationTarget): string => command?.[0] ?? new URL(url!).origin
