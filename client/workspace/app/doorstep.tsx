import type { ComponentChildren } from 'preact'
import { Icon, type IconName } from '../parts/icons.tsx'

/** What there is to see as long as there is no workspace: why, and what to do. */
export function Doorstep({ icon, title, children }: { icon?: IconName; title: string; children?: ComponentChildren }) {
  return (
    <main class="doorstep" aria-live="polite">
      {icon && <Icon name={icon} />}
      <h1>{title}</h1>
      {children}
    </main>
  )
}

export const NoToken = ({ why }: { why?: string | undefined }) => (
  <Doorstep icon="eye" title="This page needs a link of its own">
    <p>
      Whoever opens it has to be let in. In a terminal, <code>muxd open</code> makes a link that works once.
    </p>
    {why && <p class="problem">{why}</p>}
  </Doorstep>
)

export const NoDaemon = () => (
  <Doorstep icon="warning" title="No daemon answers">
    <p>
      Nothing listens at <code>{location.host}</code>. In a terminal, <code>muxd open</code> starts the daemon and makes
      a link to it; <code>muxd doctor</code> tells what is missing.
    </p>
    <p class="dim">This page goes on trying.</p>
  </Doorstep>
)

export const Closed = ({ why, reload }: { why: Error | undefined; reload(): void }) => (
  <Doorstep icon="warning" title="The connection has ended">
    <p>{why?.message ?? 'It was closed.'}</p>
    <p>
      <button type="button" class="button primary" onClick={reload}>
        Load the page again
      </button>
    </p>
  </Doorstep>
)
