import { useSignal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import type { Unavailable } from '../../sdk/browser.ts'
import type { Connection } from '../connect.ts'
import { forgetToken } from '../token.ts'
import { Closed, ConnectScreen, NoDaemon, NoToken } from './connect-screen.tsx'
import { isOtherVersion, matched, OtherVersion } from './other-version.tsx'
import { Shell } from './shell.tsx'
import { createWorkspace, WorkspaceContext } from '../context/workspace.ts'

/** Without a connection after this time, the page says that no daemon answers. */
const patienceMs = 1_500

/** Shows the workspace once the daemon has answered, else the state of the connection. */
export function App({ name, connection }: { name: string; connection: Connection }) {
  const { state, why, opened } = connection.status.value
  const impatient = useSignal(false)
  useEffect(() => {
    const timer = setTimeout(() => (impatient.value = true), patienceMs)
    return () => clearTimeout(timer)
  }, [])
  const hello = connection.hello.value
  // One workspace for the life of the page, over all reconnections.
  const workspace = useMemo(() => hello && createWorkspace(name, connection, hello), [opened > 0])

  useEffect(() => {
    if (state === 'open') matched()
  }, [state])

  if (state === 'closed') {
    if (isOtherVersion(why)) return <OtherVersion why={why} />
    if ((why as Unavailable | undefined)?.code !== 4501) return <Closed why={why} reload={() => location.reload()} />
    forgetToken()
    return <NoToken why="The link of this window no longer counts." />
  }
  if (workspace)
    return (
      <WorkspaceContext.Provider value={workspace}>
        <Shell />
      </WorkspaceContext.Provider>
    )
  return impatient.value ? <NoDaemon /> : <ConnectScreen title="Connecting…" />
}
