import { type ReadonlySignal, signal } from '@preact/signals'
import { type ConnectionState, type HelloResult, type Mux, open } from '../sdk/browser.ts'
import { sdkVersion } from '../sdk/version.ts'
import { pageName } from './page-name.ts'

/** The connection as the page shows it. */
export interface Connection {
  mux: Mux
  status: ReadonlySignal<Status>
  /** The latest hello of the daemon. */
  hello: ReadonlySignal<HelloResult | undefined>
}

export interface Status {
  state: ConnectionState
  /** When the state began, in ms since epoch. */
  at: number
  why: Error | undefined
  /** Number of times that the connection was opened. */
  opened: number
}

/** Connects to the daemon that served the page, and retries until it succeeds. */
export function connectToDaemon(token: string): Connection {
  const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`
  const mux = open({ url, token, patient: true, client: { name: pageName(navigator.userAgent), version: sdkVersion } })
  // The state shows the failure.
  mux.opened.catch(() => {})
  const status = signal<Status>({ state: mux.state, at: Date.now(), why: undefined, opened: 0 })
  const hello = signal<HelloResult | undefined>()
  mux.onState((state, why) => {
    hello.value = mux.hello
    const { opened } = status.value
    status.value = { state, at: Date.now(), why, opened: state === 'open' ? opened + 1 : opened }
  })
  return { mux, status, hello }
}
