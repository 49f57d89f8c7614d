import type { DaemonStatus } from '../../../protocol/index.ts'
import { errors } from '../../../protocol/errors.ts'
import { protocolVersion } from '../../../protocol/wire.ts'
import { RpcError } from '../errors.ts'
import type { Spoken } from '../platform.ts'
import { sdkVersion } from '../version.ts'

/**
 * Limits a connection to a daemon of protocol 1 to what is needed to replace that daemon: its status, and its stop. Other
 * calls reject with `unsupported_version`; nothing is sent for them.
 */
export function withProtocol1({ hello, call }: Spoken): Spoken {
  return {
    hello: renamed(hello),
    async call(method, params) {
      if (method === 'daemon.status') return renamed((await call(method, params)) as object)
      if (method === 'daemon.stop') return call(method, params)
      const { version } = hello.daemon
      throw new RpcError({
        code: errors.unsupported_version.code,
        message: `${method} needs protocol ${protocolVersion} (muxd ${sdkVersion}), but the daemon is muxd ${version} with protocol 1: muxd restart replaces it, and its sessions continue`,
        data: { kind: 'unsupported_version', retryable: false, supported: [1], update: 'daemon' },
      })
    },
  }
}

/** Gives what such a daemon says about itself, in `hello` and `daemon.status`, the names of protocol 2. */
function renamed<Facts extends object>(facts: Facts): Facts {
  const { claude, holder, ...same } = facts as unknown as FactsOf1
  const agents = claude ? [{ kind: 'claude', ...claude }] : []
  return { ...same, agents, ...(holder && { ptyHost: holder }) } as unknown as Facts
}

interface FactsOf1 {
  claude: { path: string; version: string } | null
  /** In `daemon.status` only. */
  holder?: DaemonStatus['ptyHost']
}
