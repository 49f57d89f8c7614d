import type { Mux } from '../../sdk/browser.ts'
import { type Block, conversationOf } from '../layout/block.ts'
import type { Remedy } from './model/advice.ts'

/** What a remedy acts on: the session, its pane, and the run that ended. */
interface Remedied {
  mux: Mux
  session: string
  run: string
  send(prompt: string): void
  /** Puts a prompt into the prompt box. */
  edit(prompt: string): void
  chooseModel(): void
  onOpen(block: Block): void
  onNewSession(prompt: string): void
}

/** Does what the user chose after a run has ended badly. */
export async function applyRemedy(remedy: Remedy, on: Remedied): Promise<void> {
  const { api } = on.mux
  const { session, run } = on
  const readPrompt = async () => (await api.run.get({ run })).prompt
  switch (remedy) {
    case 'continue':
      return on.send('Continue.')
    case 'choose_model':
      return on.chooseModel()
    case 'fork':
      return on.onOpen(conversationOf((await api.session.fork({ session })).session))
    case 'edit':
      return on.edit(await readPrompt())
    case 'new_session':
      return on.onNewSession(await readPrompt())
    case 'begin_anew': {
      const prompt = await readPrompt()
      await api.session.update({ session, conversationId: null })
      return on.send(prompt)
    }
    case 'run_again':
      return on.send(await readPrompt())
  }
}
