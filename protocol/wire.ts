/* Plain constants of the wire, without schemas, so that clients can import them without bundling TypeBox. */

export const protocolVersion = 2
/**
 * The WebSocket subprotocol: JSON-RPC in text messages, for every version of the protocol. `hello` agrees on the version.
 * A token may accompany it as `muxd.auth.<base64url(token)>`.
 */
export const subprotocol = 'muxd.v1'
export const authSubprotocolPrefix = 'muxd.auth.'

/** The types of terminal events. Each run ends with exactly one. */
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
