/** What a link to the page says behind its `#`: nothing of it reaches a server or its log. */
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

/** The fragment that may stay in the address bar: which workspace, and never the code. */
export const writeFragment = ({ workspace }: Fragment): string =>
  workspace === defaultWorkspace ? '' : `#${new URLSearchParams({ workspace })}`

/** As the daemon takes it. */
const isWorkspaceName = (name: string) => /^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$/.test(name)
