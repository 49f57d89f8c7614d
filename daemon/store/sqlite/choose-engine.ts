import { betterSqlite3 } from './better-sqlite3.ts'
import type { Engine } from './engine.ts'
import { nodeSqlite } from './node-sqlite.ts'

/** `node:sqlite` where this Node has it, so that nothing is compiled or downloaded; else better-sqlite3. */
export const chooseEngine = (): Engine => nodeSqlite() ?? betterSqlite3()
