import type { EventOf, Mux } from '../../sdk/index.ts'
import { RpcError } from '../../sdk/index.ts'
import { askPerson, howToAnswer } from './approval-dialog.ts'
import { type LinePrompt, openLinePrompt } from './line-prompt.ts'
import { approvalSummary } from '../render/approval.ts'

type Asked = EventOf<'approval_requested'>

/** Asks the person at the terminal the questions of a run, one after the other. */
export interface Asker {
  /** Takes a question that was just shown as the last thing on the screen. */
  asked(event: Asked): void
  /** A client or muxd resolved the question: stops asking it. */
  resolved(approval: string): void
  /** Releases the terminal. */
  close(): void
}

export interface AskerOptions {
  approvals: Mux['api']['approval']
  /** From `hold` until `release`, nothing else may write to the screen. */
  hold(): void
  release(): void
  say(line: string): void
}

export function createAsker({ approvals, hold, release, say }: AskerOptions): Asker {
  const waiting: Asked[] = []
  let current: { approval: string; isOver: boolean; prompt?: Promise<LinePrompt> } | undefined

  async function work(first: Asked) {
    for (let event: Asked | undefined = first; event; event = waiting.shift()) {
      // The question may have scrolled away, so repeat it.
      if (event !== first) say(`? ${approvalSummary(event)}`)
      hold()
      const said = await put(event).catch((error: unknown) => `muxd: ${(error as Error).message}`)
      current = undefined
      release()
      for (const line of said?.split('\n') ?? []) say(line)
    }
  }

  /** Asks one question. Resolves with a text to show afterwards, if any. */
  async function put(event: Asked): Promise<string | undefined> {
    const { approval } = event
    const mine: NonNullable<typeof current> = { approval, isOver: false }
    current = mine
    // The event may be old, if past events are shown.
    const { state } = await approvals.get({ approval })
    if (state !== 'pending' || mine.isOver) return undefined
    mine.prompt = openLinePrompt(interrupt)
    const prompt = await mine.prompt
    const given = mine.isOver ? undefined : await askPerson(event, prompt.ask)
    prompt.close()
    if (!given) return mine.isOver ? undefined : ['it waits for an answer:', ...howToAnswer(event)].join('\n  ')
    try {
      await approvals.answer({ approval, ...given })
    } catch (error) {
      // The event `approval_resolved` names the client that answered first.
      if (!(error instanceof RpcError) || error.kind !== 'conflict') throw error
    }
    return undefined
  }

  function drop() {
    if (!current) return
    current.isOver = true
    void current.prompt?.then(prompt => prompt.close())
  }

  /** In raw mode Ctrl-C raises no signal, so this sends it. */
  function interrupt() {
    waiting.length = 0
    drop()
    process.kill(process.pid, 'SIGINT')
  }

  return {
    asked(event) {
      if (current) waiting.push(event)
      else void work(event)
    },
    resolved(approval) {
      const place = waiting.findIndex(event => event.approval === approval)
      if (place >= 0) waiting.splice(place, 1)
      if (current?.approval === approval) drop()
    },
    close() {
      waiting.length = 0
      drop()
    },
  }
}
