import { isatty } from 'node:tty'
import type { Event, Gap, Mux, TerminalEvent } from '../../sdk/index.ts'
import { howToAnswer } from './approval-dialog.ts'
import { createAsker } from './asker.ts'
import { type ExitCode, exitCodeOfEnd, exitCodes } from '../errors/exit.ts'
import { createHeldOutput } from '../screen/held-output.ts'
import { deadlineLines } from './question-deadline.ts'
import { areOneFile, colorsFor, isTerminal, printJson, say, whenReaderLeaves } from '../screen/output.ts'
import { createRunView } from '../render/run/run-view.ts'
import { pipeSink, type Sink, terminalSink } from '../screen/sink.ts'
import { createSilence } from './silence.ts'
import { wholeEvent } from './whole-event.ts'

/** Shows events until they end, and returns the exit code of the last run that ended (`failed` if none did). */
export interface Follower {
  /** Shows the events of a session or of one of its runs. */
  follow(events: AsyncIterable<Event | Gap>, session: string): Promise<ExitCode>
  /** Shows a line for people without breaking the answer. */
  say(line: string): void
  /** Like `say`, but dimmed. */
  remark(line: string): void
}

export interface FollowerOptions {
  json?: boolean | undefined
  prompts: boolean
  /** The connection that reads whole events and sends the person's answers. */
  mux: Mux
}

/** Whether this terminal can ask a person Claude Code's questions. */
export const asksHere = ({ json }: { json?: boolean | undefined }): boolean =>
  !json && isTerminal(process.stdout) && isatty(process.stdin.fd)

export function createFollower({ json = false, prompts, mux }: FollowerOptions): Follower {
  const whole = (session: string, event: Event | Gap) => wholeEvent(mux, session, event)
  if (json) {
    return {
      follow: (events, session) => following(events, async event => printEvent(await whole(session, event))),
      say,
      remark() {},
    }
  }
  const { stdout, stderr } = process
  const onTerminal = isTerminal(stdout)
  const colors = colorsFor(onTerminal ? stdout : stderr)
  let full = false
  const writeTo = (stream: NodeJS.WriteStream) => (text: string) => {
    if (!stream.write(text)) full = true
  }
  const screen = createHeldOutput(writeTo(stdout))
  const sink: Sink = onTerminal
    ? terminalSink({
        write: screen.write,
        columns: () => stdout.columns || 80,
        rows: () => stdout.rows || 24,
        dim: colors.dim,
      })
    : pipeSink({ answer: writeTo(stdout), progress: writeTo(stderr), merged: areOneFile(stdout, stderr) })
  const columns = () => (onTerminal ? stdout.columns || 80 : Infinity)
  const isAsking = asksHere({ json }) && mux.hello?.role === 'control'
  const view = createRunView(sink, { colors, prompts, columns, ...(!isAsking && { howToAnswer }) })
  const silence = createSilence(sink.quiet)
  const asker = isAsking
    ? createAsker({
        approvals: mux.api.approval,
        hold: screen.hold,
        release: screen.release,
        say: line => sink.line(line),
      })
    : undefined
  const sayHere = (line: string) => {
    if (!onTerminal) return say(line)
    // Overwrite the ^C that the terminal shows.
    stdout.write('\r')
    sink.line(line)
  }
  return {
    async follow(events, session) {
      try {
        return await following(events, async event => {
          // The view shows only one line of other events, so only the answer's text is read whole.
          view.show(event.type === 'assistant_text' ? await whole(session, event) : event)
          if (onTerminal) silence.heard(event)
          if (event.type === 'approval_requested') {
            if (asker) asker.asked(event)
            else for (const line of await deadlineLines(mux, session, event)) sink.line(`  ${colors.dim(line)}`)
          }
          if (event.type === 'approval_resolved') asker?.resolved(event.approval)
          await screen.room()
          if (!full) return
          full = false
          await drained()
        })
      } finally {
        silence.end()
        asker?.close()
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
  let goingOn: string | undefined
  const release = whenReaderLeaves(() => {
    if (goingOn !== undefined) say(`muxd: the output was closed; the run goes on: muxd attach ${goingOn}`)
  })
  try {
    for await (const event of events) {
      if (event.type !== 'gap') goingOn = isEnd(event) ? undefined : (event.run ?? goingOn)
      await show(event)
      if (isEnd(event)) code = exitCodeOfEnd(event.type)
    }
    return code
  } finally {
    release()
  }
}

/** The protocol has no event for a gap, so it goes to standard error as text. */
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
