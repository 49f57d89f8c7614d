import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Mux } from '../../browser.ts'
import type { Block } from '../blocks/block.ts'

interface Exchange {
  run: string
  prompt: string
  response: string
  state: string
}

/** A session's prompts and answers as they are written. */
export function ConversationPane({
  mux,
  session,
  readOnly,
}: {
  mux: Mux
  session: string
  readOnly: boolean
  active: boolean
  onOpen(block: Block): void
}) {
  const exchanges = useSignal<Exchange[]>([])
  const prompt = useSignal('')
  const problem = useSignal('')
  useEffect(() => {
    const leaving = new AbortController()
    const follow = async () => {
      const byRun = new Map<string, Exchange>()
      for await (const event of mux.subscribe(`session/${session}`, { since: 'start', signal: leaving.signal })) {
        if (event.type === 'gap' || event.run === null) continue
        const before = byRun.get(event.run) ?? { run: event.run, prompt: '', response: '', state: 'queued' }
        const next = { ...before }
        if (event.type === 'run_queued' || event.type === 'run_started')
          Object.assign(next, { prompt: event.prompt, state: event.type === 'run_queued' ? 'queued' : 'running' })
        else if (event.type === 'assistant_text' && event.parent === undefined) next.response += event.delta
        else if ('response' in event) Object.assign(next, { response: event.response, state: event.type })
        byRun.set(event.run, next)
        exchanges.value = [...byRun.values()]
      }
    }
    follow().catch((error: unknown) => {
      if (!leaving.signal.aborted) problem.value = String(error)
    })
    return () => leaving.abort()
  }, [session])
  return (
    <div role="group" class="block" aria-label="Conversation" tabIndex={-1}>
      <div class="scroll padded" tabIndex={0}>
        {exchanges.value.map(({ run, prompt: asked, response, state }) => (
          <article key={run}>
            <h2>{asked}</h2>
            <p class="prose">{response}</p>
            <p class="small dim">{state}</p>
          </article>
        ))}
        {problem.value && <p class="problem">{problem.value}</p>}
      </div>
      {!readOnly && (
        <form
          class="block-bar"
          onSubmit={event => {
            event.preventDefault()
            mux.run({ session, prompt: prompt.value }).catch((error: unknown) => (problem.value = String(error)))
            prompt.value = ''
          }}
        >
          <input
            class="field"
            aria-label="Prompt"
            data-autofocus
            value={prompt.value}
            onInput={event => (prompt.value = event.currentTarget.value)}
          />
        </form>
      )}
    </div>
  )
}
