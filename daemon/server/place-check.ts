import type { IncomingHttpHeaders } from 'node:http'
import type { Door } from './admission.ts'
import { checkHost, checkOrigin, type Refusal } from './checks.ts'

/** Whether a request comes from where one may come from: its `Host` and its `Origin`, whoever it is of. */
export type PlaceCheck = (headers: IncomingHttpHeaders, door: Door) => Refusal | undefined

export function createPlaceCheck(options: {
  /** The port listened on; asked for each request, for it is known only then. */
  port: () => number
  allowedHosts: readonly string[]
  allowedOrigins: readonly string[]
}): PlaceCheck {
  const { port } = options
  const allowedHosts = options.allowedHosts.map(host => host.toLowerCase())
  const allowedOrigins = options.allowedOrigins.map(origin => origin.toLowerCase())
  return ({ host, origin }, door) =>
    (door === 'tcp' ? checkHost(host, port(), allowedHosts) : undefined) ?? checkOrigin(origin, port(), allowedOrigins)
}
