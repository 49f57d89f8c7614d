import { type Command, Option } from 'commander'
import type { Event, Gap, Mux } from '../../sdk/index.ts'
import { acting, command } from '../command/command.ts'
import { wholeNumber } from '../command/option-values.ts'
import { type ExitCode, exitCodes } from '../errors/exit.ts'
import { asksHere, createFollower } from '../follow/follow.ts'
import { type CommonOptions, withMux } from '../command/with-mux.ts'

export interface AttachOptions extends CommonOptions {
  from?: number
}

export function declareAttach(program: Command): void {
  command(program, 'attach', 'watch a run until it ends, or a session until Ctrl-C')
    .argument('<session|run>')
    .addOption(new Option('--from <seq>', 'start with this event').argParser(wholeNumber))
    .action(acting(attach))
}

/**
 * `muxd attach`: shows a run until it ends, or a session and its runs until Ctrl-C. Leaving ends nothing. A session is
 * shown from the beginning of its latest run, or from event `from`.
 */
async function attach(id: string, options: AttachOptions): Promise<ExitCode> {
  return withMux(options, { mayStart: true, answers: asksHere(options) }, async (mux, signal) => {
    const follower = createFollower({ json: options.json, prompts: true, mux })
    const leaving = new AbortController()
    const leave = () => leaving.abort()
    const stop = () => leaving.abort(signal.reason)
    process.once('SIGINT', leave)
    signal.addEventListener('abort', stop)
    try {
      if (id.startsWith('s_')) {
        return await follower.follow(await sessionEvents(mux, id, options.from, leaving.signal), id)
      }
      const { session } = await mux.attach(id).info({ signal: leaving.signal })
      return await follower.follow(runEvents(mux, id, options.from, leaving.signal), session)
    } catch (error) {
      if (!leaving.signal.aborted || signal.aborted) throw error
      if (!options.json) follower.say('left; it goes on without you')
      return exitCodes.done
    } finally {
      process.off('SIGINT', leave)
      signal.removeEventListener('abort', stop)
    }
  })
}

async function* runEvents(mux: Mux, id: string, from = 0, signal: AbortSignal): AsyncGenerator<Event | Gap> {
  for await (const event of mux.attach(id).events({ signal })) {
    if (event.type === 'gap' || event.seq >= from) yield event
  }
}

async function sessionEvents(mux: Mux, session: string, from: number | undefined, signal: AbortSignal) {
  const { lastRun } = await mux.api.session.get({ session }, { signal })
  const firstSeq = from ?? (lastRun === null ? 1 : (await mux.attach(lastRun).info({ signal })).firstSeq)
  return mux.subscribe(`session/${session}`, { since: { seq: firstSeq - 1 }, signal })
}
