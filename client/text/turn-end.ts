/** Says why a `done` turn did not end by itself; undefined if it did. `terminalReason` is Claude Code's own word. */
export function turnEnd(terminalReason: string | undefined): string | undefined {
  if (terminalReason === undefined || terminalReason === 'completed') return undefined
  return known[terminalReason] ?? terminalReason.replaceAll('_', ' ')
}

const known: Record<string, string> = {
  hook_stopped: 'a hook stopped it',
  stop_hook_prevented: 'a stop hook ended it',
}
