import type { IncomingHttpHeaders } from 'node:http'
import { authSubprotocolPrefix } from '../../protocol/index.ts'

/** Why a request is not let in: an HTTP status and a line for a person. */
export interface Refusal {
  status: 400 | 401 | 403 | 404 | 405 | 413 | 426 | 429 | 503
  message: string
}

/** `Host` must name this machine's loopback and the daemon's port, or be configured: a name that was rebound to 127.0.0.1 by its owner's DNS is neither. */
export function checkHost(host: string | undefined, port: number, allowed: readonly string[]): Refusal | undefined {
  if (host !== undefined && (isOwnHost(host, port) || allowed.includes(host.toLowerCase()))) return undefined
  return {
    status: 403,
    message: `Host ${shown(host)} is not this daemon's: use localhost:${port} or configure allowedHosts`,
  }
}

/** `Origin`, which browsers send, must be the daemon's own page or be configured. `null` (a sandboxed or local file) never is. */
export function checkOrigin(origin: string | undefined, port: number, allowed: readonly string[]): Refusal | undefined {
  if (origin === undefined) return undefined
  const isOwn = origin.startsWith('http://') && isOwnHost(origin.slice('http://'.length), port)
  if (isOwn || (origin !== 'null' && allowed.includes(origin.toLowerCase()))) return undefined
  return { status: 403, message: `Origin ${shown(origin)} is not allowed: configure allowedOrigins` }
}

/** The token of a request: `Authorization: Bearer T`, or for browsers the subprotocol `muxd.auth.<base64url(T)>`. */
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
