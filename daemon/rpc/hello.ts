import { nanoid } from 'nanoid'
import { type HelloParams, type HelloResult, protocolVersion, type Role } from '../../protocol/index.ts'
import { RpcError } from './rpc-error.ts'

/** The daemon's description of itself in `hello`. */
export type About = Pick<HelloResult, 'daemon' | 'agents' | 'limits'>

/** Agrees on a version and names the client. Throws `unsupported_version`, which closes the connection with 4503. */
export function answerHello(params: HelloParams, role: Role, about: About): HelloResult {
  if (!params.protocol.includes(protocolVersion)) {
    const clientIsOlder = Math.max(...params.protocol) < protocolVersion
    const update = clientIsOlder ? 'client' : 'daemon'
    const spoken = params.protocol.join(', ')
    const message = `${params.client.name} speaks protocol ${spoken}, this daemon (muxd ${about.daemon.version}) speaks ${protocolVersion}: update the ${update}`
    throw new RpcError('unsupported_version', message, { supported: [protocolVersion], update })
  }
  return { protocol: protocolVersion, clientId: params.clientId ?? `c_${nanoid()}`, role, ...about }
}
