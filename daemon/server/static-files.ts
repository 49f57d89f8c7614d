import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

/**
 * What anybody may have: the page, which has no secret in it, and the SDK for pages of others. Only what was there when
 * the daemon started, by its name: no path is ever made of what a request says.
 */
export interface StaticFiles {
  /** Undefined for a path that names none. */
  find(path: string): StaticFile | undefined
}

export interface StaticFile {
  type: string
  /** Its name changes with what is in it. */
  immutable: boolean
  /** For pages of other origins too. */
  shared: boolean
  content(): Promise<{ plain: Buffer; gzipped: Buffer }>
}

/** `dist` is where the build puts things; where it has not been, there is nothing. */
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

/** As the build names what it splits off. */
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

/** Tried again after it has failed. */
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
