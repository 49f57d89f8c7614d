import type { Token } from '../../sdk/index.ts'
import { type ExitCode, exitCodes, Usage } from '../exit.ts'
import { columnsOfOutput, print, printJson, say } from '../output.ts'
import { tokenLines, tokenMade } from '../render/tokens.ts'
import { type CommonOptions, withMux } from '../with-mux.ts'

/** `muxd token create`: creates a token. Standard output gets only the secret. */
export async function createToken(
  name: string,
  options: CommonOptions & { observe?: true; expires?: number },
): Promise<ExitCode> {
  return withMux(options, { mayStart: true }, async (mux, signal) => {
    const role: Token['role'] = options.observe ? 'observe' : 'control'
    const life = options.expires === undefined ? {} : { expiresAfterMs: options.expires }
    const made = await mux.api.token.create({ name, role, ...life }, { signal })
    if (options.json) await printJson(made)
    else {
      say(tokenMade(made.token, Date.now()))
      await print(made.secret)
    }
    return exitCodes.done
  })
}

/** `muxd token ls`: lists the tokens. */
export async function listTokens(options: CommonOptions): Promise<ExitCode> {
  return withMux(options, { mayStart: true }, async (mux, signal) => {
    const { tokens } = await mux.api.token.list({}, { signal })
    if (options.json) for (const token of tokens) await printJson(token)
    else {
      const columns = columnsOfOutput()
      for (const line of tokenLines(tokens, Date.now(), columns)) await print(line)
    }
    return exitCodes.done
  })
}

/** `muxd token revoke`: revokes a token and closes its connections. */
export async function revokeToken(idOrName: string, options: CommonOptions): Promise<ExitCode> {
  return withMux(options, { mayStart: true }, async (mux, signal) => {
    const id = tokenId(idOrName, (await mux.api.token.list({}, { signal })).tokens)
    await mux.api.token.revoke({ id }, { signal })
    if (options.json) await printJson({ id })
    else say(isBuiltIn(id) ? `${id} is replaced: daemon.json has the new secret` : `${id} is revoked`)
    return exitCodes.done
  })
}

/** Returns the id of a token. An id takes precedence over an equal name. The daemon refuses an unknown id. */
function tokenId(idOrName: string, tokens: readonly Token[]): string {
  if (tokens.some(({ id }) => id === idOrName)) return idOrName
  const named = tokens.filter(({ name }) => name === idOrName)
  if (named.length > 1) {
    throw new Usage(`${named.length} tokens are named ${idOrName}: give one of ${named.map(({ id }) => id).join(', ')}`)
  }
  if (named.length === 0 && !idOrName.startsWith('t_'))
    throw new Usage(`there is no token with the id or name ${idOrName}`)
  return named[0]?.id ?? idOrName
}

const isBuiltIn = (id: string) => id === 't_control' || id === 't_observe'
