import { chooseEngine } from './choose-engine.ts'

/** What `muxd doctor` asks about SQLite. */

/** The engine of this Node and its version of SQLite. Throws where there is none. */
export function describeSqlite(): string {
  const engine = chooseEngine()
  const connection = engine.open(':memory:')
  try {
    const version = connection.prepare<[], string>('SELECT sqlite_version()', true).get()
    return `${engine.name} with SQLite ${version}`
  } finally {
    connection.close()
  }
}

/**
 * Why a database cannot be read now, with SQLite's code; undefined where it can. Opens it read-only for a moment: this
 * does not disturb a daemon, because readers of a database with a write-ahead log do not lock out its writer.
 */
export function readProblem(file: string): { code: string; message: string } | undefined {
  const engine = chooseEngine()
  try {
    const connection = engine.open(file, { readOnly: true })
    try {
      connection.prepare('SELECT count(*) FROM sqlite_schema', true).get()
      return undefined
    } finally {
      connection.close()
    }
  } catch (error) {
    return { code: engine.codeOf(error) ?? 'error', message: (error as Error).message }
  }
}
