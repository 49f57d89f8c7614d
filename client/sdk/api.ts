import type { Api } from '../../protocol/index.ts'
import type { CallOptions, Link } from './reconnect.ts'

/** Every method of the protocol: `api.session.list({})`. Rejects with `RpcError`, `Unavailable` or the signal's reason. */
export type ClientApi = {
  [N in keyof Api]: {
    [M in keyof Api[N]]: Api[N][M] extends (params: infer Params) => infer Answer
      ? (params: Params, options?: CallOptions) => Answer
      : never
  }
}

/** The names are those of the calls made: no table of methods is needed at run time. */
export function createApi(link: Link): ClientApi {
  return namespace(name => namespace(method => link.call.bind(link, `${name}.${method}`))) as ClientApi
}

function namespace(make: (name: string) => unknown): object {
  // `then` would make it a promise in the eyes of `await`.
  return new Proxy({}, { get: (_, name) => (typeof name === 'symbol' || name === 'then' ? undefined : make(name)) })
}
