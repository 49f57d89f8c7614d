import { chooseEngine } from './choose-engine.ts'

/** Functions for `muxd doctor`. */

/** Returns the name of this Node's engine and its version of SQLite. Throws if there is none. */
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
 * Returns why a database cannot be read now, with SQLite's code; undefined if it can. Opens it read-only for a moment,
 * which does not disturb a daemon, because readers of a database with a write-ahead log do not lock out its writer.
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
