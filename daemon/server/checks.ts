import type { IncomingHttpHeaders } from 'node:http'
import { authSubprotocolPrefix } from '../../protocol/index.ts'

/** Why a request is refused: an HTTP status and a line for a person. */
export interface Refusal {
  status: 400 | 401 | 403 | 404 | 405 | 413 | 426 | 429 | 503
  message: string
}

/**
 * Returns a refusal unless `Host` names a loopback address and the daemon's port, or is configured. This stops DNS
 * rebinding: a page of another site whose name resolves to 127.0.0.1 sends that name.
 */
export function checkHost(host: string | undefined, port: number, allowed: readonly string[]): Refusal | undefined {
  if (host !== undefined && (isOwnHost(host, port) || allowed.includes(host.toLowerCase()))) return undefined
  return {
    status: 403,
    message: `Host ${shown(host)} is not this daemon's: use localhost:${port} or configure allowedHosts`,
  }
}

/**
 * Returns a refusal unless `Origin` is absent, the daemon's own or configured. Browsers send it. `null`, the origin of
 * sandboxed pages and local files, is always refused.
 */
export function checkOrigin(origin: string | undefined, port: number, allowed: readonly string[]): Refusal | undefined {
  if (origin === undefined) return undefined
  const isOwn = origin.startsWith('http://') && isOwnHost(origin.slice('http://'.length), port)
  if (isOwn || (origin !== 'null' && allowed.includes(origin.toLowerCase()))) return undefined
  return { status: 403, message: `Origin ${shown(origin)} is not allowed: configure allowedOrigins` }
}

/**
 * Returns the token of a request: `Authorization: Bearer T`, or for browsers the subprotocol
 * `muxd.auth.<base64url(T)>`.
 */
export function tokenOf(headers: IncomingHttpHeaders): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
  if (bearer !== undefined) return bearer
  const offered = subprotocolsOf(headers).find(name => name.startsWith(authSubprotocolPrefix))
  return offered === undefined
    ? undefined
    : Buffer.from(offered.slice(authSubprotocolPrefix.length), 'base64url').toString()
}

export function subprotocolsOf(headers: IncomingHttpHeaders): string[] {
  return (headers['sec-websocket-protocol'] ?? '').split(',').map(name => name.trim())
}

function isOwnHost(host: string, port: number): boolean {
  const [, name, portText] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(host.toLowerCase()) ?? []
  if (name === undefined || Number(portText ?? 80) !== port) return false
  return name === 'localhost' || name === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name)
}

const shown = (value: string | undefined) => (value === undefined ? '(none)' : JSON.stringify(value.slice(0, 100)))
