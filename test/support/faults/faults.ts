import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { tempDir } from '../temp-dir.ts'

/** Whether faults can be injected here. Tests that need them are skipped otherwise, with a message. */
export const canInjectFaults = process.platform === 'linux' && spawnSync('cc', ['--version']).status === 0

/** `stall` blocks calls until the rules are replaced. `after`: this many calls of each process succeed first. */
export interface FaultRule {
  operation: 'write' | 'sync'
  /** Shell pattern for the whole path. `*` also matches `/`. */
  path: string
  fault: 'EIO' | 'ENOSPC' | 'stall'
  after?: number
}

/** Injects faults into the files below a directory, in every process that starts with `env`. */
export interface Faults {
  env: Record<string, string>
  /** Replaces all rules. */
  set(...rules: FaultRule[]): void
  /** Maps the path of each synced file to a file with its content at the last sync. */
  synced(): Map<string, string>
}

const source = fileURLToPath(new URL('./faults.c', import.meta.url))

export function createFaults(scope: string): Faults {
  const directory = tempDir()
  const library = join(directory, 'faults.so')
  const compiled = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl', '-lpthread'])
  if (compiled.status !== 0) throw new Error(`faults.c was not compiled: ${compiled.stderr.toString()}`)
  const rulesFile = join(directory, 'rules')
  const kept = join(directory, 'synced')
  mkdirSync(kept)
  // Processes detect new rules by the inode of the file. Replaced files are kept, so that no inode is used again.
  let versions = 0
  const set = (...rules: FaultRule[]) => {
    const lines = rules.map(({ operation, path, fault, after = 0 }) =>
      fault === 'stall' ? `${operation} ${path} stall\n` : `${operation} ${path} error ${fault} ${after}\n`,
    )
    const draft = join(directory, `rules-${versions++}`)
    if (existsSync(rulesFile)) renameSync(rulesFile, join(directory, `was-${versions}`))
    writeFileSync(draft, lines.join(''))
    renameSync(draft, rulesFile)
  }
  set()
  return {
    env: { LD_PRELOAD: library, FAULTS_SCOPE: scope, FAULTS_RULES: rulesFile, FAULTS_SYNCED: kept },
    set,
    synced: () =>
      new Map(
        readdirSync(kept)
          .filter(name => name.startsWith('%'))
          .map(name => [name.replaceAll('%', '/'), join(kept, name)]),
      ),
  }
}
