import type { IncomingHttpHeaders } from 'node:http'
import { checkHost, checkOrigin, type Refusal } from './checks.ts'

/** How a request arrived: over TCP, or over the Unix socket, whose file mode is the credential. */
export type Transport = 'tcp' | 'unix'

/** Refuses a request whose `Host` or `Origin` is not allowed, whatever its token. */
export type OriginCheck = (headers: IncomingHttpHeaders, transport: Transport) => Refusal | undefined

export function createOriginCheck(options: {
  /** Returns the port that the server listens on. Called for each request, because the port is unknown before that. */
  port: () => number
  allowedHosts: readonly string[]
  allowedOrigins: readonly string[]
}): OriginCheck {
  const { port } = options
  const allowedHosts = options.allowedHosts.map(host => host.toLowerCase())
  const allowedOrigins = options.allowedOrigins.map(origin => origin.toLowerCase())
  return ({ host, origin }, transport) =>
    (transport === 'tcp' ? checkHost(host, port(), allowedHosts) : undefined) ??
    checkOrigin(origin, port(), allowedOrigins)
}
