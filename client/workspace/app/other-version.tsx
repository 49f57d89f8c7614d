import { useState } from 'preact/hooks'
import { RpcError, Unavailable } from '../../sdk/browser.ts'
import { ConnectScreen } from './connect-screen.tsx'

/** Whether the daemon refused the connection because it speaks another version of the protocol than the page. */
export const isOtherVersion = (why: Error | undefined): boolean =>
  (why instanceof RpcError && why.kind === 'unsupported_version') || (why instanceof Unavailable && why.code === 4503)

/**
 * Loads the page again, because the daemon serves the page of its own version. Does so once: if that does not help, it
 * says what to do.
 */
export function OtherVersion({ why }: { why: Error | undefined }) {
  const [isReloading] = useState(reloadOnce)
  if (isReloading) return <ConnectScreen title="Loading the page of this daemon…" />
  return (
    <ConnectScreen icon="warning" title="The page and the daemon do not match">
      <p>{why?.message}</p>
      <p>
        Loading the page again did not help. In a terminal, <code>muxd restart</code> replaces the daemon with the
        installed version. Its sessions continue.
      </p>
      <p>
        <button type="button" class="button primary" onClick={() => location.reload()}>
          Load the page again
        </button>
      </p>
    </ConnectScreen>
  )
}

/** `sessionStorage` survives a reload: it says that this tab was loaded again and has not been connected since. */
const key = 'muxd.reloaded'

function reloadOnce(): boolean {
  if (sessionStorage.getItem(key) !== null) return false
  sessionStorage.setItem(key, 'yes')
  location.reload()
  return true
}

/** To call when the page is connected: the next daemon of another version causes another reload. */
export const matched = (): void => sessionStorage.removeItem(key)
