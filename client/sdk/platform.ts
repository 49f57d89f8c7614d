import type { HelloResult } from '../../protocol/index.ts'

/** The address of a daemon. `token` is absent if the transport itself is the credential (the Unix socket). */
export interface Endpoint {
  url: string
  token?: string | undefined
}

interface SocketEvents {
  open: unknown
  message: { data: unknown }
  /** Always the last event. */
  close: { code: number; reason: string }
  error: { error?: unknown }
}

/** The part of a WebSocket that the SDK uses; browsers and `ws` share it. */
export interface Socket {
  addEventListener<Type extends keyof SocketEvents>(type: Type, listener: (event: SocketEvents[Type]) => void): void
  /** 1: open. */
  readonly readyState: number
  send(text: string): void
  close(): void
  /** Ends the connection without waiting for the peer. Browsers do not have this method. */
  terminate?(): void
}

/** The part of a connection that depends on the version of the protocol. */
export interface Spoken {
  hello: HelloResult
  call(method: string, params: object): Promise<unknown>
}

/** The differences between Node and a browser. */
export interface Platform {
  /** Called before each attempt to connect, because a restarted daemon may have another address. */
  locate(): Promise<Endpoint>
  open(url: string, protocols: string[]): Socket
  absolute: (path: string) => string
  /**
   * Limits a connection to a daemon of protocol 1 to what can be done with it. Without this method the SDK does not offer
   * protocol 1, and such a daemon refuses `hello`.
   */
  withProtocol1?(connection: Spoken): Spoken
  /**
   * Whether the daemon refuses the token; called after a failed attempt, for platforms whose sockets do not report the
   * cause.
   */
  refuses?(endpoint: Endpoint): Promise<boolean>
  /** Calls `retry` when the network may be available again. */
  onWake?(retry: () => void, signal: AbortSignal): void
}

/** Durations in milliseconds. */
export interface Timing {
  /**
   * Bounds of the wait before a retry. The wait is random, up to `retryMinMs` at first; the upper bound doubles with
   * each attempt, up to `retryMaxMs`.
   */
  retryMinMs: number
  retryMaxMs: number
  /** An attempt without an answer to `hello` after this time is given up. */
  attemptMs: number
  /**
   * A connection that was silent for this time gets a `ping`, and is given up if it stays silent. The daemon sends
   * something every 15 s.
   */
  silenceMs: number
}

export const timing: Timing = { retryMinMs: 250, retryMaxMs: 10_000, attemptMs: 10_000, silenceMs: 45_000 }

export interface ConnectOptions {
  /** Closes the connection; its calls and iterations reject with the signal's reason. */
  signal?: AbortSignal | undefined
  /**
   * The name and version of this program. Other clients see the name, for example as the author of a cancel. Default:
   * `muxd-sdk`.
   */
  client?: { name: string; version: string } | undefined
  /** False: this program cannot ask a person, so Claude Code's questions do not wait for it. Default: true. */
  answers?: boolean | undefined
  /**
   * Keep trying if the first attempt fails. Without it, a failed first attempt closes the connection and `connect`
   * rejects.
   */
  patient?: boolean | undefined
  /** Overrides the default durations, for tests and unusual networks. */
  timing?: Partial<Timing> | undefined
}
