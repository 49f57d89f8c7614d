import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

/**
 * The files that need no credentials: the page, which contains no secrets, and the SDK for pages of other origins. The
 * table of paths is made when the daemon starts, so no file name is built from a request.
 */
export interface StaticFiles {
  /** Returns undefined for an unknown path. */
  find(path: string): StaticFile | undefined
}

export interface StaticFile {
  type: string
  /** Whether its name changes with its content. */
  immutable: boolean
  /** Whether pages of other origins may load it. */
  shared: boolean
  content(): Promise<{ plain: Buffer; gzipped: Buffer }>
}

/** `dist` is the output directory of the build. Without a build, reading `/` and `/muxd.js` fails. */
export function findStaticFiles(dist: URL): StaticFiles {
  const files = new Map<string, StaticFile>()
  const add = (path: string, place: URL, shared = false) => {
    const type = types[extname(place.pathname)]
    if (type === undefined) return
    files.set(path, { type, shared, immutable: isHashed(path), content: once(() => read(place)) })
  }
  for (const name of namesIn(new URL('workspace/', dist))) add(`/${name}`, new URL(`workspace/${name}`, dist))
  add('/', new URL('workspace/index.html', dist))
  add('/muxd.js', new URL('client/browser.js', dist), true)
  return { find: path => files.get(path) }
}

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** Whether a name has a content hash, as the build's chunks have. */
const isHashed = (path: string) => /-[A-Z0-9]{8}\.\w+$/.test(path)

async function read(place: URL) {
  const plain = await readFile(fileURLToPath(place))
  return { plain, gzipped: await compress(plain) }
}

const compress = promisify(gzip)

function namesIn(directory: URL): string[] {
  try {
    return readdirSync(fileURLToPath(directory))
  } catch {
    return []
  }
}

/** Calls `make` once and returns its result from then on. Calls it again if it has failed. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined
      throw error
    })
    return made
  }
}
