import { createReadStream, type Dirent } from 'node:fs'
import { access, open, readdir, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ConversationEnd, FoundConversation, KnownConversation } from '../../agent.ts'
import { linesFromEnd } from './lines-from-end.ts'
import { isShape, listOf, nameOf, numberOf, type Shape, shapeOf, stringOf } from '../frame/shape.ts'

/**
 * Reads Claude Code's transcripts. Each conversation is one file, `projects/<directory's name>/<id>.jsonl` in the
 * configuration directory. muxd never writes them, and reads only what it cannot know otherwise: see
 * docs/claude-cli.md.
 */

/** Returns the configuration directory that Claude Code uses with this environment. */
export const configDirectory = (environment: NodeJS.ProcessEnv): string =>
  environment['CLAUDE_CONFIG_DIR'] || join(environment['HOME'] || homedir(), '.claude')

/**
 * Finds the transcript of a conversation: in the folder for `cwd`, else in any other folder, because Claude Code finds
 * it there too. If there is none, returns the path in the folder for `cwd` as `lookedAt`.
 */
export async function findTranscript(
  config: string,
  id: string,
  cwd: string,
): Promise<FoundConversation | { lookedAt: string }> {
  const lookedAt = join(projectsOf(config), projectName(cwd), `${id}.jsonl`)
  const projects = await projectDirectories(config)
  const here = projects.filter(isOf(cwd))
  for (const name of [...here, ...projects]) {
    const path = join(projectsOf(config), name, `${id}.jsonl`)
    if (!(await exists(path))) continue
    const { cwd: begunIn, prompt } = await readBeginning(path)
    return { path, prompt, ...(begunIn !== undefined && begunIn !== cwd && { elsewhere: begunIn }) }
  }
  return { lookedAt }
}

/**
 * The maximum number of bytes read from the end. It is large because one line may hold megabytes of a tool's output.
 */
const endBytes = 32 * 1024 * 1024

/** Reads the end of a transcript. Claude Code has written the messages of a turn when it prints the result. */
export async function readEnd(path: string): Promise<ConversationEnd> {
  const end: ConversationEnd = { message: undefined, counterUsd: undefined }
  const file = await open(path)
  try {
    for await (const line of linesFromEnd(file, endBytes)) {
      const entry = parse(line.toString())
      if (!entry) continue
      if (isMessage(entry)) end.message ??= nameOf(entry['uuid'])
      else if (entry['type'] === 'cost-state') end.counterUsd ??= numberOf(entry['totalCostUSD'])
      if (end.message !== undefined && end.counterUsd !== undefined) break
    }
  } finally {
    await file.close()
  }
  return end
}

/** Returns the conversations that began in a directory and have a message, last used first. */
export async function listTranscripts(config: string, cwd: string, limit: number): Promise<KnownConversation[]> {
  const files: { path: string; id: string; updatedAt: number; sizeBytes: number }[] = []
  for (const name of (await projectDirectories(config)).filter(isOf(cwd))) {
    const directory = join(projectsOf(config), name)
    for (const entry of await entries(directory)) {
      const id = /^([0-9a-f-]{36})\.jsonl$/.exec(entry.name)?.[1]
      const path = join(directory, entry.name)
      const facts = id === undefined ? undefined : await stat(path).catch(() => undefined)
      if (facts?.isFile()) files.push({ path, id: id!, updatedAt: Math.round(facts.mtimeMs), sizeBytes: facts.size })
    }
  }
  const found: KnownConversation[] = []
  for (const { path, ...file } of files.sort((one, other) => other.updatedAt - one.updatedAt)) {
    if (found.length === limit) break
    const { cwd: begunIn, prompt, startedAt } = await readBeginning(path).catch(() => nothing)
    // Different directories may have the same folder name.
    if (begunIn === cwd) found.push({ ...file, prompt: prompt ?? '', startedAt })
  }
  return found
}

interface Beginning {
  /** Undefined if there is no message. */
  cwd: string | undefined
  prompt: string | undefined
  startedAt: number | null
}

const nothing: Beginning = { cwd: undefined, prompt: undefined, startedAt: null }

/** The maximum number of bytes read from the beginning. The first prompt follows texts of Claude Code itself. */
const beginningBytes = 512 * 1024

async function readBeginning(path: string): Promise<Beginning> {
  const found = { ...nothing }
  const input = createReadStream(path, { end: beginningBytes })
  try {
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      const entry = parse(line)
      if (!entry || !isMessage(entry)) continue
      found.cwd ??= nameOf(entry['cwd'])
      found.startedAt ??= timeOf(entry['timestamp'])
      found.prompt = promptOf(entry)
      if (found.prompt !== undefined) break
    }
  } finally {
    input.destroy()
  }
  return found
}

/** Whether an entry is a message of the user or the model in the main lane. Messages of sub-agents are side chains. */
const isMessage = (entry: Shape) =>
  (entry['type'] === 'user' || entry['type'] === 'assistant') && entry['isSidechain'] !== true

/** Returns the text that a person wrote. Texts of Claude Code in the name of the user are marked or in tags. */
function promptOf(entry: Shape): string | undefined {
  if (entry['type'] !== 'user' || entry['isMeta'] === true || entry['isCompactSummary'] === true) return undefined
  const content = shapeOf(entry['message'])?.['content']
  const texts = listOf(content).flatMap(block => stringOf(shapeOf(block)?.['text']) ?? [])
  const text = (stringOf(content) ?? texts.join('\n')).trim()
  return text === '' || text.startsWith('<') ? undefined : text
}

function timeOf(value: unknown): number | null {
  const time = Date.parse(stringOf(value) ?? '')
  return Number.isNaN(time) ? null : time
}

function parse(line: string): Shape | undefined {
  if (line === '') return undefined
  try {
    const value: unknown = JSON.parse(line)
    return isShape(value) ? value : undefined
  } catch {
    return undefined
  }
}

const projectsOf = (config: string) => join(config, 'projects')

/** A longer name is cut at this length and gets `-` and a hash of the whole name. */
const maxNameLength = 200

const projectName = (cwd: string) => cwd.replaceAll(/[^a-zA-Z0-9]/g, '-')

function isOf(cwd: string): (name: string) => boolean {
  const name = projectName(cwd)
  if (name.length <= maxNameLength) return other => other === name
  const start = `${name.slice(0, maxNameLength)}-`
  return other => other.startsWith(start) && other.length > start.length
}

const projectDirectories = async (config: string) => (await entries(projectsOf(config))).map(({ name }) => name)

const entries = (directory: string): Promise<Dirent[]> => readdir(directory, { withFileTypes: true }).catch(() => [])

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )
