import type { Event, Gap, TerminalEvent } from '../index.ts'
import { type ExitCode, exitCodeOfEnd, exitCodes } from './exit.ts'
import { colorsFor, isTerminal, printJson, say } from './output.ts'
import { createRunView } from './render/run-view.ts'
import { pipeSink, type Sink, terminalSink } from './render/sink.ts'
import { createSilence } from './silence.ts'

/** Shows events until they end. */
export interface Follower {
  follow(events: AsyncIterable<Event | Gap>): Promise<ExitCode>
  /** A line for people, at a place where it spoils nothing. */
  say(line: string): void
  /** The same, less loud. */
  remark(line: string): void
}

export function createFollower({ json = false, prompts }: { json?: boolean | undefined; prompts: boolean }): Follower {
  if (json) return { follow: events => following(events, printEvent), say, remark() {} }
  const { stdout, stderr } = process
  const onTerminal = isTerminal(stdout)
  const colors = colorsFor(onTerminal ? stdout : stderr)
  let full = false
  const writeTo = (stream: NodeJS.WriteStream) => (text: string) => {
    if (!stream.write(text)) full = true
  }
  const sink: Sink = onTerminal
    ? terminalSink({
        write: writeTo(stdout),
        columns: () => stdout.columns || 80,
        rows: () => stdout.rows || 24,
        dim: colors.dim,
      })
    : pipeSink({ answer: writeTo(stdout), progress: writeTo(stderr) })
  const view = createRunView(sink, { colors, prompts })
  const silence = createSilence(sink.quiet)
  const sayHere = (line: string) => {
    if (!onTerminal) return say(line)
    // Over the ^C that a terminal shows.
    stdout.write('\r')
    sink.line(line)
  }
  return {
    async follow(events) {
      try {
        return await following(events, async event => {
          view.show(event)
          if (onTerminal) silence.heard(event)
          if (!full) return
          full = false
          await drained()
        })
      } finally {
        silence.end()
        sink.end()
      }
    },
    say: sayHere,
    remark: line => sayHere(colors.dim(line)),
  }
}

async function following(
  events: AsyncIterable<Event | Gap>,
  show: (event: Event | Gap) => Promise<void>,
): Promise<ExitCode> {
  let code: ExitCode = exitCodes.failed
  for await (const event of events) {
    await show(event)
    if (isEnd(event)) code = exitCodeOfEnd(event.type)
  }
  return code
}

/** A gap is no shape of the protocol's: it is said, not printed. */
async function printEvent(event: Event | Gap): Promise<void> {
  if (event.type === 'gap') say(`muxd: events after ${event.from} up to ${event.to} cannot be had (${event.reason})`)
  else await printJson(event)
}

const isEnd = (event: Event | Gap): event is TerminalEvent =>
  event.type === 'done' || event.type === 'failed' || event.type === 'cancelled' || event.type === 'interrupted'

const drained = () =>
  Promise.all(
    [process.stdout, process.stderr]
      .filter(stream => stream.writableNeedDrain)
      .map(stream => new Promise(resolve => stream.once('drain', resolve))),
  )
