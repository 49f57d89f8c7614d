import type { Api } from '../../protocol/index.ts'
import type { CallOptions, Link } from './reconnect.ts'

/**
 * Every method of the protocol, for example `api.session.list({})`. Calls reject with `RpcError`, `Unavailable` or the
 * signal's reason.
 */
export type ClientApi = {
  [N in keyof Api]: {
    [M in keyof Api[N]]: Api[N][M] extends (params: infer Params) => infer Answer
      ? (params: Params, options?: CallOptions) => Answer
      : never
  }
}

/** Creates the calls from the property names in use, so it needs no table of methods at run time. */
export function createApi(link: Link): ClientApi {
  return namespace(name => namespace(method => link.call.bind(link, `${name}.${method}`))) as ClientApi
}

function namespace(make: (name: string) => unknown): object {
  // With a `then`, `await` would take the object for a promise.
  return new Proxy({}, { get: (_, name) => (typeof name === 'symbol' || name === 'then' ? undefined : make(name)) })
}
