import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isLive } from '../../../os/process-identity.ts'
import type { OpenConversation } from '../../agent.ts'
import { countOf, nameOf, type Shape, shapeOf } from '../frame/shape.ts'

/**
 * Reads Claude Code's own list of its processes (`sessions/<pid>.json` in the configuration directory, since about
 * 2.1.329), including processes that muxd did not start. A killed process may leave its entry, which counts only while
 * exactly that process lives. A conversation that is not listed may still be open: older versions keep no list, and a
 * process is listed only after its first prompt.
 */
export async function listOpenConversations(config: string): Promise<OpenConversation[]> {
  const directory = join(config, 'sessions')
  const names = await readdir(directory).catch(() => [])
  const entries = await Promise.all(
    names.filter(name => /^\d+\.json$/.test(name)).map(name => readEntry(join(directory, name))),
  )
  return entries.filter(entry => entry !== undefined)
}

async function readEntry(path: string): Promise<OpenConversation | undefined> {
  const entry = await readJson(path)
  const pid = countOf(entry?.['pid'])
  const conversationId = nameOf(entry?.['sessionId'])
  const started = nameOf(entry?.['procStart'])
  const domain = nameOf(entry?.['pidDomain'])
  if (!pid || conversationId === undefined || started === undefined || domain === undefined) return undefined
  return (await isLive({ pid, started, domain })) ? { pid, conversationId } : undefined
}

async function readJson(path: string): Promise<Shape | undefined> {
  try {
    return shapeOf(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    // The file has been removed, or is only partly written.
    return undefined
  }
}
