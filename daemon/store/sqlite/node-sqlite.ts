import type { Engine, Statement } from './engine.ts'
import { resultCodeName } from './result-codes.ts'

let engine: Engine | undefined

/** Returns `node:sqlite`; undefined if this Node lacks it or requires a flag for it (before 22.13). */
export function nodeSqlite(): Engine | undefined {
  engine ??= createEngine(load())
  return engine
}

/** The part of the module that is used. The types for Node 20 lack the module. */
interface Module {
  DatabaseSync: new (file: string, options: { readOnly: boolean }) => NodeDatabase
  StatementSync: { prototype: Partial<NodeStatement> }
}
interface NodeDatabase {
  prepare(sql: string): NodeStatement
  exec(sql: string): void
  close(): void
}
interface NodeStatement {
  run(...params: unknown[]): { changes: number }
  get(...params: unknown[]): NodeRow | undefined
  all(...params: unknown[]): NodeRow[]
  iterate(...params: unknown[]): Iterable<NodeRow>
  setReadBigInts(enabled: boolean): void
}
type NodeRow = Record<string, unknown>

/** Loads the module. Drops only the warning of Node 22 that the module is experimental. */
function load(): Module | undefined {
  const { emitWarning } = process
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (rest[0] === 'ExperimentalWarning' && String(warning).startsWith('SQLite is an experimental feature')) return
    Reflect.apply(emitWarning, process, [warning, ...rest])
  }
  try {
    // Node 20.15 does not have `getBuiltinModule`. Before 22.13 the module needs a flag, and has no `iterate`.
    const module = process.getBuiltinModule?.('node:sqlite') as Module | undefined
    return module?.StatementSync.prototype.iterate && module
  } finally {
    process.emitWarning = emitWarning
  }
}

const createEngine = (module: Module | undefined): Engine | undefined =>
  module && {
    name: 'node:sqlite',
    open(file, { readOnly } = { readOnly: false }) {
      const database = new module.DatabaseSync(file, { readOnly })
      let isOpen = true
      return {
        prepare: <Params extends unknown[], Row>(sql: string, firstColumn: boolean) =>
          createStatement<Params, Row>(database.prepare(sql), sql, firstColumn),
        exec: sql => database.exec(sql),
        pragma(text) {
          const row = database.prepare(`PRAGMA ${text}`).get()
          return row && firstOf(row)
        },
        close() {
          if (isOpen) database.close()
          isOpen = false
        },
      }
    },
    codeOf(error) {
      const { code, errcode } = (error ?? {}) as { code?: unknown; errcode?: unknown }
      return code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? resultCodeName(errcode) : undefined
    },
  }

function createStatement<Params extends unknown[], Row>(
  statement: NodeStatement,
  sql: string,
  firstColumn: boolean,
): Statement<Params, Row> {
  const bound = parametersOf(sql)
  const rowOf = (row: NodeRow) => (firstColumn ? firstOf(row) : { ...row }) as Row
  const inexactRowOf = (row: NodeRow) => rowOf(withNumbers(row))

  /** An integer over 2^53 makes Node throw: the statement then runs again and gives the nearest number. */
  function read<T>(work: (rowOf: (row: NodeRow) => Row) => T): T {
    try {
      return work(rowOf)
    } catch (error) {
      if (!isTooLarge(error)) throw error
    }
    statement.setReadBigInts(true)
    try {
      return work(inexactRowOf)
    } finally {
      statement.setReadBigInts(false)
    }
  }

  return {
    run: (...params) => statement.run(...bound(params)).changes,
    get(...params) {
      const values = bound(params)
      return read(convert => {
        const row = statement.get(...values)
        return row && convert(row)
      })
    },
    all(...params) {
      const values = bound(params)
      return read(convert => statement.all(...values).map(convert))
    },
    scan(visit, ...params) {
      const values = bound(params)
      let visited = 0
      read(convert => {
        let place = 0
        for (const row of statement.iterate(...values)) {
          if (place++ < visited) continue
          visited = place
          if (!visit(convert(row))) return
        }
      })
    },
  }
}

/**
 * Prepares parameters for Node, which binds null for a missing one, rejects an unknown name, and rejects undefined. The
 * store's SQL has neither `?` nor `@` in its literals.
 */
function parametersOf(sql: string): (params: unknown[]) => unknown[] {
  const positions = sql.split('?').length - 1
  const names = [...new Set(Array.from(sql.matchAll(/@(\w+)/g), ([, name]) => name!))]
  return params => {
    if (names.length > 0) {
      const [values] = params as [NodeRow]
      const missing = names.find(name => !(name in values))
      if (missing !== undefined) throw new RangeError(`Missing named parameter "${missing}"`)
      return [Object.fromEntries(names.map(name => [name, values[name] ?? null]))]
    }
    if (params.length !== positions) throw new RangeError(`${params.length} parameters where ${positions} are expected`)
    return params.map(value => value ?? null)
  }
}

function firstOf(row: NodeRow): unknown {
  for (const name in row) return row[name]
  return undefined
}

const withNumbers = (row: NodeRow): NodeRow =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, typeof value === 'bigint' ? Number(value) : value]),
  )

const isTooLarge = (error: unknown) =>
  error instanceof RangeError &&
  'code' in error &&
  error.code === 'ERR_OUT_OF_RANGE' &&
  error.message.startsWith('Value is too large to be represented as a JavaScript number')
