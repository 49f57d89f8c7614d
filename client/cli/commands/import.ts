import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import type { Importable, Mux, Session } from '../../sdk/index.ts'
import { acting, command } from '../command/command.ts'
import { wholeNumber } from '../command/option-values.ts'
import { type ExitCode, exitCodes, Usage } from '../errors/exit.ts'
import { columnsOfOutput, print, printJson, say } from '../screen/output.ts'
import { age, bytes, table } from '../render/format.ts'
import { oneLine } from '../screen/text.ts'
import { type CommonOptions, withMux } from '../command/with-mux.ts'

export interface ImportOptions extends CommonOptions {
  directory?: string
  last?: true
  title?: string
  limit: number
}

export function declareImport(program: Command): void {
  command(program, 'import', 'continue a conversation that was started with claude in a terminal')
    .argument('[id]', "Claude Code's session id; without it, list the conversations of the directory")
    .option('-C, --directory <dir>', 'where it was started (default: here)')
    .option('--last', 'the conversation that was used last')
    .option('--title <text>', 'title of the new session')
    .addOption(new Option('-n, --limit <count>', 'list at most this many').default(20).argParser(wholeNumber))
    .action(acting(importConversation))
}

/**
 * `muxd import`: continues a conversation that was begun without muxd. Without an id or `--last`, lists the
 * conversations.
 */
async function importConversation(id: string | undefined, options: ImportOptions): Promise<ExitCode> {
  const cwd = resolve(options.directory ?? '.')
  if (id !== undefined && options.last) throw new Usage('--last is for when no id is given')
  return withMux(options, { mayStart: true }, async (mux, signal) => {
    if (id === undefined && !options.last) {
      await list(await conversations(mux, cwd, options.limit, signal), cwd, options)
      return exitCodes.done
    }
    const conversationId = id ?? (await latest(mux, cwd, signal))
    const { title } = options
    const spec = { cwd, conversationId, ...(title !== undefined && { title }) }
    const session: Session = await mux.api.session.create(spec, { signal })
    if (options.json) await printJson(session)
    else await print(session.session)
    return exitCodes.done
  })
}

const conversations = async (mux: Mux, cwd: string, limit: number, signal: AbortSignal): Promise<Importable[]> =>
  (await mux.api.session.importable({ cwd, limit: Math.min(limit, 1_000) }, { signal })).conversations

/** Returns the latest conversation that no session has yet. */
async function latest(mux: Mux, cwd: string, signal: AbortSignal): Promise<string> {
  const found = (await conversations(mux, cwd, 1_000, signal)).find(({ session }) => session === undefined)
  if (!found) throw new Usage(`there is no conversation in ${cwd} that no session has`)
  return found.conversationId
}

async function list(found: Importable[], cwd: string, { json }: ImportOptions): Promise<void> {
  if (json) for (const conversation of found) await printJson(conversation)
  else if (found.length === 0) say(`no conversations in ${cwd}`)
  else {
    const columns = columnsOfOutput()
    for (const line of table(['ID', 'USED', 'SIZE', 'IN', 'FIRST PROMPT'], found.map(row), columns, 4))
      await print(line)
  }
}

const row = ({ conversationId, updatedAt, sizeBytes, session, openIn, prompt }: Importable): string[] => [
  conversationId,
  age(Date.now() - updatedAt),
  bytes(sizeBytes),
  session ?? (openIn ? `process ${openIn.pid}` : '-'),
  oneLine(prompt) || '-',
]
