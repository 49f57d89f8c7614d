import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Tokens } from './usage.ts'

/** An entry of a transcript, in the form of Claude Code's. The entries are what a session keeps over `--resume`. */
export type Entry =
  | { type: 'user'; uuid: string; message: { role: 'user'; content: string } }
  | { type: 'assistant'; uuid: string; message: object }
  /** Tokens of the whole session by model name: the cost continues over `--resume`, but not over a fork. */
  | { type: 'cost-state'; totalCostUSD: number; models: [string, Tokens][] }

/** `$MUXD_SIMULATOR_HOME`, else `$TMPDIR/muxd-simulator`; never Claude Code's own directories. */
const transcriptDirectory = (): string =>
  join(process.env['MUXD_SIMULATOR_HOME'] || join(tmpdir(), 'muxd-simulator'), 'projects')

/** Returns the transcript of a session, whatever directory it began in; undefined if there is no such session. */
export function loadTranscript(sessionId: string): Entry[] | undefined {
  const file = findFile(sessionId)
  if (file === undefined) return undefined
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line) as Entry)
}

/** Writes a temporary file and renames it, so that a killed process leaves the last complete transcript. */
export function saveTranscript(sessionId: string, entries: readonly Entry[]): void {
  const file = findFile(sessionId) ?? join(transcriptDirectory(), projectName(process.cwd()), `${sessionId}.jsonl`)
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const about = { sessionId, cwd: process.cwd(), isSidechain: false }
  const beside = `${file}.${randomUUID()}`
  writeFileSync(beside, entries.map(entry => `${JSON.stringify({ ...about, ...entry })}\n`).join(''), { mode: 0o600 })
  renameSync(beside, file)
}

function findFile(sessionId: string): string | undefined {
  const name = `${sessionId}.jsonl`
  const project = listed(transcriptDirectory()).find(each => listed(join(transcriptDirectory(), each)).includes(name))
  return project === undefined ? undefined : join(transcriptDirectory(), project, name)
}

function listed(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

const projectName = (cwd: string) => cwd.replaceAll(/[^a-zA-Z0-9]/g, '-').slice(0, 200)
