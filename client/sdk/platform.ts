/** Where a daemon listens. `token` is left out where the transport itself is the credential. */
export interface Endpoint {
  url: string
  token?: string | undefined
}

interface SocketEvents {
  open: unknown
  message: { data: unknown }
  /** Always the last. */
  close: { code: number; reason: string }
  error: { error?: unknown }
}

/** What the SDK uses of a WebSocket: the part that browsers and `ws` share. */
export interface Socket {
  addEventListener<Type extends keyof SocketEvents>(type: Type, listener: (event: SocketEvents[Type]) => void): void
  send(text: string): void
  close(): void
  /** Ends it without waiting for the peer; browsers have no such thing. */
  terminate?(): void
}

/** What differs between Node and a browser. */
export interface Platform {
  /** Asked before each attempt to connect: a daemon that was started again may be elsewhere. */
  locate(): Promise<Endpoint>
  open(url: string, protocols: string[]): Socket
  absolute: (path: string) => string
  /** Whether it was the token, where a failed attempt does not say so. */
  refuses?(endpoint: Endpoint): Promise<boolean>
  /** Calls back when the network may have come back. */
  onWake?(retry: () => void, signal: AbortSignal): void
}

/** In milliseconds. */
export interface Timing {
  /** Bounds of the wait before an attempt: a random part of the first at the first, then twice as much each time. */
  retryMinMs: number
  retryMaxMs: number
  /** An attempt that has not said hello by then is given up. */
  attemptMs: number
  /** A connection that was silent for so long is asked, and dead if it stays so: the daemon sends something every 15 s. */
  silenceMs: number
}

export const timing: Timing = { retryMinMs: 250, retryMaxMs: 10_000, attemptMs: 10_000, silenceMs: 45_000 }

export interface ConnectOptions {
  /** Ends the connection and everything that belongs to it. */
  signal?: AbortSignal | undefined
  /** How this program calls itself: others see the name, for example of who cancelled. */
  client?: { name: string; version: string } | undefined
  /** False: this program cannot ask a person, so that Claude Code's questions do not wait for it. Default: true. */
  answers?: boolean | undefined
  /** Keeps trying when the daemon cannot be reached at first; without it `connect` rejects then. */
  patient?: boolean | undefined
  /** For tests and for unusual networks. */
  timing?: Partial<Timing> | undefined
}
