import type { Workspace } from '../../../protocol/index.ts'
import { checksumOf, contextOf, isSound } from '../sqlite/checksum.ts'
import type { Sqlite } from '../sqlite/sqlite.ts'

/** The layouts of pages. */
export interface WorkspaceTable {
  save(workspace: Workspace): void
  get(name: string): Workspace | undefined
  /** Ordered by name. */
  all(): Workspace[]
  /** Returns false if there was none. */
  delete(name: string): boolean
}

interface Row {
  name: string
  record: string
  crc: number
}

export function createWorkspaceTable(db: Sqlite): WorkspaceTable {
  const save = db.prepare<[string, string, number]>(
    `INSERT INTO workspaces (name, record, crc) VALUES (?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET record = excluded.record, crc = excluded.crc`,
  )
  const get = db.prepare<[string], Row>('SELECT name, record, crc FROM workspaces WHERE name = ?')
  const all = db.prepare<[], Row>('SELECT name, record, crc FROM workspaces ORDER BY name')
  const remove = db.prepare<[string]>('DELETE FROM workspaces WHERE name = ?')

  return {
    save(workspace) {
      const record = JSON.stringify(workspace)
      save.run(workspace.workspace, record, checksumOf(record, contextOf(workspace.workspace)))
    },
    get(name) {
      const row = get.get(name)
      return row && parse(row)
    },
    all: () => all.all().map(parse),
    delete: name => remove.run(name) > 0,
  }

  function parse({ name, record, crc }: Row): Workspace {
    if (!isSound(crc, record, contextOf(name))) throw db.damage(`the record of workspace ${name} has changed`)
    return JSON.parse(record) as Workspace
  }
}
