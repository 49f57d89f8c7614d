import { type Command, Option } from 'commander'
import type { Token } from '../../sdk/index.ts'
import { acting, command } from '../command/command.ts'
import { durationOption } from '../command/option-values.ts'
import { type ExitCode, exitCodes, Usage } from '../errors/exit.ts'
import { columnsOfOutput, print, printJson, say } from '../screen/output.ts'
import { tokenLines, tokenMade } from '../render/tokens.ts'
import { type CommonOptions, withMux } from '../command/with-mux.ts'

export function declareToken(program: Command): void {
  const token = program.command('token').description('create, list and revoke access tokens')
  command(token, 'create', 'create a token; standard output gets only its secret')
    .argument('<name>', 'a name for the list')
    .option('--observe', 'it can read, and change nothing')
    .addOption(new Option('--expires <time>', 'it expires after this time, as 12h or 7d').argParser(durationOption))
    .action(acting(createToken))
  command(token, 'ls', 'list tokens').action(acting(listTokens))
  command(token, 'revoke', 'revoke a token and close its connections; a built-in one is replaced')
    .argument('<token>', 'its id or name')
    .action(acting(revokeToken))
}

/** `muxd token create`: creates a token. Standard output gets only the secret. */
async function createToken(
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
async function listTokens(options: CommonOptions): Promise<ExitCode> {
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
async function revokeToken(idOrName: string, options: CommonOptions): Promise<ExitCode> {
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
