import { build } from 'esbuild'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { onTestFinished } from 'vitest'
import { startTestDaemon, type TestDaemon } from '../../support/daemon.ts'
import { watchForFaults } from '../page.ts'

/** Bundles the panes alone, in the way of the workspace. Returns file contents by path. */
async function bundle(): Promise<Map<string, string>> {
  const { outputFiles } = await build({
    bundle: true,
    format: 'esm',
    target: 'es2022',
    splitting: true,
    write: false,
    jsx: 'automatic',
    jsxImportSource: 'preact',
    entryPoints: ['panes.tsx', 'panes.css'].map(name => fileURLToPath(new URL(name, import.meta.url))),
    outdir: '/',
  })
  return new Map(outputFiles.map(({ path, text }) => [path, text]))
}

let bundled: Promise<Map<string, string>> | undefined

const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>panes</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="/panes.css"><script type="module" src="/panes.js"></script></head>
<body><div id="workspace"></div></body></html>`

/** The policy of the daemon's own page: nothing from elsewhere, no inline script or style. */
const policy = (socket: string) =>
  `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self' ${socket}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`

/** Serves a page with nothing but panes. */
export async function servePanes(): Promise<{ origin: string; close: () => void }> {
  const files = await (bundled ??= bundle())
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://panes')
    const body = pathname === '/' ? html : files.get(pathname)
    const type = pathname.endsWith('.css') ? 'css' : pathname.endsWith('.js') ? 'javascript' : 'html'
    const headers = {
      'content-type': `text/${type}`,
      'content-security-policy': policy(searchParams.get('socket') ?? ''),
    }
    response.writeHead(body === undefined ? 404 : 200, headers).end(body)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { origin: `http://127.0.0.1:${port}`, close: () => server.close().closeAllConnections() }
}

export interface PanesOptions {
  sessions: readonly string[]
  readOnly?: boolean
}

/**
 * Starts a daemon with the simulator. `show` makes a page show its sessions side by side. Everything ends with the
 * test.
 */
export async function startPanes(options: Parameters<typeof startTestDaemon>[0] = {}): Promise<{
  daemon: TestDaemon
  show: (page: Page, options: PanesOptions) => Promise<void>
}> {
  const { origin, close } = await servePanes()
  onTestFinished(close)
  const daemon = await startTestDaemon({ ...options, config: { ...options.config, allowedOrigins: [origin] } })
  const { url, token } = daemon.info
  return {
    daemon,
    async show(page, shown) {
      watchForFaults(page, origin)
      await page.setViewportSize({ width: 900, height: 700 })
      const socket = new URL(url).origin
      await page.goto(`${origin}/?socket=${socket}#${encodeURIComponent(JSON.stringify({ url, token, ...shown }))}`)
    },
  }
}
