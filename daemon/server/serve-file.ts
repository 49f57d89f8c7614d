import type { IncomingMessage, ServerResponse } from 'node:http'
import type { StaticFile } from './static-files.ts'

/** Answers with a file. `origin` is that of another page that may read it. */
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
 * The page talks to its own daemon and to nobody else, runs its own scripts and none that a model wrote, and is shown in
 * no frame.
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
