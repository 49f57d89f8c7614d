import { useDraft } from '../../drafts.ts'
import type { SubmissionParams } from '../../submission.ts'

/** The fields of the dialog for a new session, which are kept as drafts. */
export interface NewSessionDraft {
  prompt: Field
  title: Field
  permissionMode: Field
  model: Field
  /** Says what to start in a directory. Empty fields leave the choice to the daemon. */
  params(cwd: string): Omit<SubmissionParams, 'key'>
  forget(): void
}

export interface Field {
  text: string
  write(text: string): void
}

/** A given first prompt has drafts of its own. */
export function useNewSessionDraft(firstPrompt: string): NewSessionDraft {
  const name = `new-session/${firstPrompt.slice(0, 80)}`
  const fields = {
    prompt: useField(name, firstPrompt),
    title: useField(`${name}/title`),
    permissionMode: useField(`${name}/mode`),
    model: useField(`${name}/model`),
  }
  return {
    ...fields,
    params(cwd) {
      const title = fields.title.text.trim()
      const model = fields.model.text.trim()
      const permissionMode = fields.permissionMode.text
      const options = { ...(model && { model }), ...(permissionMode && { permissionMode }) }
      return { prompt: fields.prompt.text, create: { cwd, options, ...(title && { title }) } }
    },
    forget() {
      for (const { forget } of Object.values(fields)) forget()
    },
  }
}

function useField(name: string, first?: string) {
  const [text, write, forget] = useDraft(name, first)
  return { text, write, forget }
}
