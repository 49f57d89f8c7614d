/** The active block and the front tabs of a window. They survive a reload; other windows do not share them. */
export interface WindowView {
  read(): { active: string | undefined; shown: readonly string[] }
  keep(view: { active: string | undefined; shown: readonly string[] }): void
}

export function createWindowView(workspace: string, storage: Storage = sessionStorage): WindowView {
  const key = `muxd.view.${workspace}`
  return {
    read() {
      const { active, shown = [] } = JSON.parse(storage.getItem(key) ?? '{}') as { active?: string; shown?: string[] }
      return { active, shown }
    },
    keep: view => storage.setItem(key, JSON.stringify(view)),
  }
}
