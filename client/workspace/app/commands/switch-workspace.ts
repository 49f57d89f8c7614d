import { writeFragment } from '../../fragment.ts'

/** Shows another workspace in this window. */
export function openWorkspace(workspace: string): void {
  history.pushState(null, '', `${location.pathname}${writeFragment({ workspace })}`)
  location.reload()
}
