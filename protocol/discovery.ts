/**
 * The content of `daemon.json` in the home directory, by which local programs find the daemon. The file has mode 0600.
 * The daemon writes it when it listens and removes it when it stops.
 * `url` is the WebSocket URL, `socket` the path of the Unix socket, `token` the control token, `observeToken` the
 * observe token. `instance` differs for each start of a daemon.
 */
export interface DaemonInfo {
  url: string
  socket: string
  token: string
  observeToken: string
  pid: number
  instance: string
  version: string
  /** Options of `muxd serve` that start an equal daemon from any environment and directory; without home and port. */
  args?: string[]
  /** The daemon runs in the foreground of a terminal or service and logs to its standard error. */
  foreground?: boolean
}
