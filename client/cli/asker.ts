import type { EventOf, Mux } from '../sdk/index.ts'
import { RpcError } from '../sdk/index.ts'
import { askPerson, howToAnswer } from './approval-dialog.ts'
import { type LinePrompt, openLinePrompt } from './line-prompt.ts'
import { approvalSummary } from './render/approval.ts'

type Asked = EventOf<'approval_requested'>

/** Puts the questions of a run to the person at the terminal, one after the other. */
export interface Asker {
  /** It has been shown, as the last thing on the screen. */
  asked(event: Asked): void
  /** It was answered, by whomever: it is asked no longer. */
  resolved(approval: string): void
  /** Gives the terminal back. */
  close(): void
}

export interface AskerOptions {
  approvals: Mux['api']['approval']
  /** From `hold` on nothing else may be written, until `release`. */
  hold(): void
  release(): void
  say(line: string): void
}

export function createAsker({ approvals, hold, release, say }: AskerOptions): Asker {
  const waiting: Asked[] = []
  let current: { approval: string; isOver: boolean; prompt?: Promise<LinePrompt> } | undefined

  async function work(first: Asked) {
    for (let event: Asked | undefined = first; event; event = waiting.shift()) {
      // Much may have been shown since.
      if (event !== first) say(`? ${approvalSummary(event)}`)
      hold()
      const said = await put(event).catch((error: unknown) => `muxd: ${(error as Error).message}`)
      current = undefined
      release()
      for (const line of said?.split('\n') ?? []) say(line)
    }
  }

  /** What is to be said of it afterwards. */
  async function put(event: Asked): Promise<string | undefined> {
    const { approval } = event
    const mine: NonNullable<typeof current> = { approval, isOver: false }
    current = mine
    // It may be long ago, where the past is shown.
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
      // Who was first is told by its event.
      if (!(error instanceof RpcError) || error.kind !== 'conflict') throw error
    }
    return undefined
  }

  function drop() {
    if (!current) return
    current.isOver = true
    void current.prompt?.then(prompt => prompt.close())
  }

  /** The keyboard makes no signals while lines are read from it. */
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
