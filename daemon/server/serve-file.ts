import type { IncomingMessage, ServerResponse } from 'node:http'
import type { StaticFile } from './static-files.ts'

/** Answers a request with a file. `origin` is the request's origin if a page of that origin may read shared files. */
export async function serveFile(
  request: IncomingMessage,
  response: ServerResponse,
  file: StaticFile,
  origin: string | undefined,
): Promise<void> {
  const { plain, gzipped } = await file.content()
  const takesGzip = /\bgzip\b/.test(`${request.headers['accept-encoding']}`)
  const body = takesGzip ? gzipped : plain
  response.writeHead(200, {
    ...pageHeaders,
    'content-type': file.type,
    'content-length': body.length,
    ...(takesGzip && { 'content-encoding': 'gzip' }),
    vary: 'accept-encoding, origin',
    'cache-control': file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    ...(file.shared && { 'cross-origin-resource-policy': 'cross-origin' }),
    ...(file.shared && origin !== undefined && { 'access-control-allow-origin': origin }),
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

/**
 * The page may connect only to its own daemon, may run only its own scripts (not scripts in a model's output), and may
 * not be shown in a frame.
 */
const pageHeaders = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}
