/** The fragment of a link to the page. Browsers do not send fragments, so it reaches no server and no log. */
export interface Fragment {
  /** The one-time code of `muxd open`. */
  code?: string
  workspace: string
}

export const defaultWorkspace = 'main'

export function readFragment(hash: string): Fragment {
  const fields = new URLSearchParams(hash.replace(/^#/, ''))
  const code = fields.get('code')
  const name = fields.get('workspace') ?? ''
  return { ...(code && { code }), workspace: isWorkspaceName(name) ? name : defaultWorkspace }
}

/** Returns the fragment for the address bar: the workspace, never the code. */
export const writeFragment = ({ workspace }: Fragment): string =>
  workspace === defaultWorkspace ? '' : `#${new URLSearchParams({ workspace })}`

/** The same rule as in the daemon. */
const isWorkspaceName = (name: string) => /^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$/.test(name)
