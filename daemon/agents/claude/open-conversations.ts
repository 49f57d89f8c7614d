import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isLive } from '../../os/process-identity.ts'
import { countOf, nameOf, type Shape, shapeOf } from './shape.ts'

/** A live Claude Code process and the conversation it has open. */
export interface OpenConversation {
  pid: number
  claudeSessionId: string
}

/**
 * What Claude Code's own list of its processes says (`sessions/<pid>.json` in the configuration directory, since about
 * 2.1.329), also of those that muxd did not start. An entry may be left of one that was killed: it counts only if that
 * very process lives. That a conversation is not in it says nothing: older versions keep no list, and one that has not
 * been asked anything is not in it yet.
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
  const claudeSessionId = nameOf(entry?.['sessionId'])
  const started = nameOf(entry?.['procStart'])
  const domain = nameOf(entry?.['pidDomain'])
  if (!pid || claudeSessionId === undefined || started === undefined || domain === undefined) return undefined
  return (await isLive({ pid, started, domain })) ? { pid, claudeSessionId } : undefined
}

async function readJson(path: string): Promise<Shape | undefined> {
  try {
    return shapeOf(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    // Gone meanwhile, or half written.
    return undefined
  }
}
