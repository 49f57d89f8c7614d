import type { ComponentChildren } from 'preact'
import { Icon, type IconName } from '../parts/icons.tsx'

/** Shown while there is no connection: the reason, and what the user can do. */
export function ConnectScreen({
  icon,
  title,
  children,
}: {
  icon?: IconName
  title: string
  children?: ComponentChildren
}) {
  return (
    <main class="connect-screen" aria-live="polite">
      {icon && <Icon name={icon} />}
      <h1>{title}</h1>
      {children}
    </main>
  )
}

export const NoToken = ({ why }: { why?: string | undefined }) => (
  <ConnectScreen icon="eye" title="This page needs a link of its own">
    <p>
      Whoever opens it has to be let in. In a terminal, <code>muxd open</code> makes a link that works once.
    </p>
    {why && <p class="problem">{why}</p>}
  </ConnectScreen>
)

export const NoDaemon = () => (
  <ConnectScreen icon="warning" title="No daemon answers">
    <p>
      Nothing listens at <code>{location.host}</code>. In a terminal, <code>muxd open</code> starts the daemon and makes
      a link to it; <code>muxd doctor</code> tells what is missing.
    </p>
    <p class="dim">This page goes on trying.</p>
  </ConnectScreen>
)

export const Closed = ({ why, reload }: { why: Error | undefined; reload(): void }) => (
  <ConnectScreen icon="warning" title="The connection has ended">
    <p>{why?.message ?? 'It was closed.'}</p>
    <p>
      <button type="button" class="button primary" onClick={reload}>
        Load the page again
      </button>
    </p>
  </ConnectScreen>
)
