import { type Command, InvalidArgumentError, Option } from 'commander'
import { permissionModes } from '../../../protocol/wire.ts'
import type { Session, SessionChanges } from '../../sdk/index.ts'
import { acting, command } from '../command/command.ts'
import { type ExitCode, exitCodes, Usage } from '../errors/exit.ts'
import { print, printJson } from '../screen/output.ts'
import { oneLine } from '../screen/text.ts'
import { type CommonOptions, withMux } from '../command/with-mux.ts'

export interface SetOptions extends CommonOptions {
  title?: string
  label?: Record<string, string>
  model?: string
  permissionMode?: string
  anew?: true
}

export function declareSet(program: Command): void {
  command(program, 'set', 'change the title, labels or options of a session')
    .argument('<session>')
    .option('--title <text>', 'the title')
    .addOption(new Option('--label <name=value>', 'set a label; name= removes it').argParser(collectLabels))
    .option('--model <name>', 'the model to use from now on')
    .addOption(
      new Option('--permission-mode <mode>', 'what may be done without asking from now on').choices(permissionModes),
    )
    .option('--anew', 'the next run starts a new conversation')
    .action(acting(set))
}

/** Collects the labels of a repeatable option. */
function collectLabels(text: string, earlier: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('expected name=value.')
  return { ...earlier, [text.slice(0, at)]: text.slice(at + 1) }
}

/** `muxd set`: changes a session. A new model or mode applies to its live process at once. */
async function set(session: string, options: SetOptions): Promise<ExitCode> {
  const { title, label, model, permissionMode, anew } = options
  const changes: SessionChanges = {
    ...(title !== undefined && { title }),
    ...(model !== undefined && { model }),
    ...(permissionMode !== undefined && { permissionMode }),
    ...(anew && { conversationId: null }),
  }
  if (Object.keys(changes).length === 0 && !label) {
    throw new Usage('nothing to set: --title, --label, --model, --permission-mode or --anew')
  }
  return withMux(options, { mayStart: true }, async (mux, signal) => {
    const labels = label && merged((await mux.api.session.get({ session }, { signal })).labels, label)
    const after: Session = await mux.api.session.update({ session, ...changes, ...(labels && { labels }) }, { signal })
    if (options.json) await printJson(after)
    else for (const line of describe(after)) await print(line)
    return exitCodes.done
  })
}

/** Merges labels. An empty value removes the label. */
function merged(labels: Record<string, string>, given: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries({ ...labels, ...given }).filter(([name]) => given[name] !== ''))
}

function describe({ session, title, labels, options, conversationId }: Session): string[] {
  const facts: [string, string | undefined][] = [
    ['title', title],
    [
      'labels',
      Object.entries(labels)
        .map(label => label.join('='))
        .join(', '),
    ],
    ['model', options.model],
    ['mode', options.permissionMode],
    ['conversation', conversationId ?? 'none yet'],
  ]
  return [session, ...facts.flatMap(([name, value]) => (value ? [`  ${name.padEnd(12)}  ${oneLine(value)}`] : []))]
}
