/**
 * `daemon.json` in the home directory: how a local program finds the daemon. Mode 0600, written once it listens,
 * removed when it stops. `url` is the ws URL, `socket` the path of the Unix socket, `token` the control token.
 */
export interface DaemonInfo {
  url: string
  socket: string
  token: string
  observeToken: string
  pid: number
  instance: string
  version: string
  /** Options of `muxd serve` that make another like it, whatever the environment and the directory; without home and port. */
  args?: string[]
  /** It runs in the foreground of a terminal or a service: what it logs goes to its standard error. */
  foreground?: boolean
}
