import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Tokens } from './usage.ts'

/** What a session remembers over `--resume`. */
export interface Transcript {
  prompts: string[]
  /** Tokens of the whole session by model name: its cost continues over `--resume`. */
  models: [string, Tokens][]
}

/** `$MUXD_SIMULATOR_HOME`, else `$TMPDIR/muxd-simulator`; never Claude Code's own directories. */
export const transcriptDirectory = (): string => process.env['MUXD_SIMULATOR_HOME'] || join(tmpdir(), 'muxd-simulator')

/** Undefined when there is no such session. */
export function loadTranscript(sessionId: string): Transcript | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(sessionId), 'utf8')) as Transcript
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Written beside and renamed, so that a killed process leaves the last whole one. */
export function saveTranscript(sessionId: string, transcript: Transcript): void {
  const file = fileOf(sessionId)
  mkdirSync(transcriptDirectory(), { recursive: true, mode: 0o700 })
  const beside = `${file}.${randomUUID()}`
  writeFileSync(beside, JSON.stringify(transcript), { mode: 0o600 })
  renameSync(beside, file)
}

const fileOf = (sessionId: string) => join(transcriptDirectory(), `${sessionId}.json`)
