import { type Signal, useSignal } from '@preact/signals'
import { useWorkspace } from '../../context/workspace.ts'

const lastUsed = 'muxd.directory'

/**
 * The directory of a new session. Its first value is `first`, else the directory that this page used last, else the
 * directory of the session that any client used last.
 */
export function useDirectory(first?: string): Signal<string> {
  const [latest] = useDirectories()
  return useSignal(first ?? localStorage.getItem(lastUsed) ?? latest ?? '')
}

export const rememberDirectory = (directory: string): void => localStorage.setItem(lastUsed, directory)

export function DirectoryField({ directory, autoFocus = false }: { directory: Signal<string>; autoFocus?: boolean }) {
  return (
    <label class="labelled">
      <span>Directory</span>
      <input
        class="field mono"
        required
        list="directories"
        dir="auto"
        placeholder="/home/you/project"
        spellcheck={false}
        autoComplete="off"
        autoFocus={autoFocus}
        value={directory.value}
        onInput={event => (directory.value = event.currentTarget.value)}
      />
      <datalist id="directories">
        {useDirectories().map(known => (
          <option key={known} value={known} />
        ))}
      </datalist>
    </label>
  )
}

/** Returns the directories of the sessions, the latest used first; at most 20. */
function useDirectories(): string[] {
  const latest = [...useWorkspace().records.sessions.value.values()].sort((a, b) => b.usedAt - a.usedAt)
  return [...new Set(latest.map(({ cwd }) => cwd))].slice(0, 20)
}
