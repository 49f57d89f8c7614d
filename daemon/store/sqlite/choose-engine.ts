import { betterSqlite3 } from './better-sqlite3.ts'
import type { Engine } from './engine.ts'
import { nodeSqlite } from './node-sqlite.ts'

/** Returns `node:sqlite` if this Node has it, so that nothing is compiled or downloaded; else better-sqlite3. */
export const chooseEngine = (): Engine => nodeSqlite() ?? betterSqlite3()
