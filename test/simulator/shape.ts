import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { parsed, type Frame } from '../support/simulator.ts'

/** Returns the kind of a frame. The keys of a frame depend on its kind. */
export function kindOf(frame: Frame): string {
  const { type, subtype, event, message, response, request } = frame
  if (type === 'stream_event') {
    const { type: what, delta, content_block: block } = event as Frame
    const abandoned = 'abandoned_blocks' in frame || ('context_management' in event && what === 'message_delta')
    return ['stream', what, delta?.type ?? block?.type, abandoned && 'abandoned'].filter(Boolean).join('/')
  }
  if (type === 'assistant') {
    const block = (message as Frame)['content'][0].type as string
    const lane = frame['parent_tool_use_id'] ? 'lane' : ''
    return ['assistant', block, message.model === '<synthetic>' && 'synthetic', frame['aborted'] && 'aborted', lane]
      .filter(Boolean)
      .join('/')
  }
  if (type === 'user') {
    const content = (message as Frame)['content']
    const what = typeof content === 'string' ? 'string' : content[0].type
    const meta = frame['tool_result_meta']?.[0]
    const refused = meta && 'non_execution_kind' in meta ? 'refused' : ''
    const lane = frame['parent_tool_use_id'] ? 'lane' : ''
    const how = frame['isReplay'] ? 'replay' : frame['isSynthetic'] ? 'synthetic' : ''
    return ['user', what, refused, lane, how].filter(Boolean).join('/')
  }
  if (type === 'result') return ['result', subtype, frame['terminal_reason']].filter(Boolean).join('/')
  if (type === 'control_response') {
    const answer = (response as Frame)['response'] ?? {}
    const what = 'commands' in answer ? 'initialize' : Object.keys(answer).join()
    return ['control_response', response.subtype, what].filter(Boolean).join('/')
  }
  if (type === 'control_request') return `control_request/${request.subtype as string}`
  return [type, subtype].filter(Boolean).join('/')
}

/** Reads all recordings of the real command line. Returns their frames by name. */
export function recordings(): Map<string, Frame[]> {
  const all = new Map<string, Frame[]>()
  for (const directory of ['recordings', 'cli-frames'])
    for (const name of readdirSync(join('test/fixtures', directory))) {
      if (!/\.(raw|raw\.gz|jsonl)$/.test(name)) continue
      all.set(name.replace(/\.(raw|raw\.gz|jsonl)$/, ''), readFrames(join('test/fixtures', directory, name)))
    }
  return all
}

function readFrames(file: string): Frame[] {
  const stored = readFileSync(file)
  const text = (file.endsWith('.gz') ? gunzipSync(stored) : stored).toString('utf8')
  return text
    .split('\n')
    .map(line => parsed(line.trim()))
    .filter(frame => frame['type'] !== 'dirt')
}

/**
 * Returns the paths of all keys of a frame. Names of models become `*`. Kinds of agents, permission suggestions, and
 * the inputs and results of tools are left out.
 */
export function keyPaths(frame: Frame): Set<string> {
  const paths = new Set<string>()
  collect(frame, '', paths)
  return paths
}

const ownContent = /(^|\.)(tool_use_result|input|tool_input|by_type|patch|permission_suggestions)$/
const namedByData = /(^|\.)(modelUsage|model_usage_since_last_result)$/

function collect(value: unknown, path: string, into: Set<string>): void {
  if (ownContent.test(path) || value === null || typeof value !== 'object') return
  if (Array.isArray(value)) return value.forEach(item => collect(item, `${path}[]`, into))
  for (const [key, inner] of Object.entries(value)) {
    const next = namedByData.test(path) ? `${path}.*` : path === '' ? key : `${path}.${key}`
    into.add(next)
    collect(inner, next, into)
  }
}
