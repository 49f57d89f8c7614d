/*
 * The plain constants of the wire: no schema in sight, so that a client can import them without TypeBox in its bundle.
 */

export const protocolVersion = 1
/** The WebSocket subprotocol; a token may come beside it as `muxd.auth.<base64url(token)>`. */
export const subprotocol = 'muxd.v1'
export const authSubprotocolPrefix = 'muxd.auth.'

/** The types of event that end a run, exactly one each. */
export const terminalTypes = ['done', 'failed', 'cancelled', 'interrupted'] as const
export type TerminalType = (typeof terminalTypes)[number]

/** The permission modes of Claude Code. */
export const permissionModes = [
  'default',
  'acceptEdits',
  'plan',
  'auto',
  'dontAsk',
  'manual',
  'bypassPermissions',
] as const
