import { useState } from 'preact/hooks'
import { randomKey } from '../../../sdk/random-key.ts'
import { showSession } from '../../context/show-session.ts'
import { useWorkspace } from '../../context/workspace.ts'
import { messageOf } from '../../parts/format.ts'
import { type Submission, submit } from '../../submission.ts'
import { rememberDirectory } from './directory.tsx'
import type { NewSessionDraft } from './new-session-draft.ts'

/** The start of the session that the dialog describes. */
export interface NewSessionStart {
  isStarting: boolean
  /** There is no connection, and the prompt is sent with the next one. */
  isWaiting: boolean
  /** Empty if there is none. */
  problem: string
  start(cwd: string): Promise<void>
  takeBack(): void
}

export function useNewSessionStart(draft: NewSessionDraft): NewSessionStart {
  const workspace = useWorkspace()
  const { mux, overlay, connection, say } = workspace
  const [submission, setSubmission] = useState<Submission>()
  const [problem, setProblem] = useState('')
  return {
    isStarting: submission !== undefined,
    isWaiting: submission !== undefined && connection.status.value.state !== 'open',
    problem,
    async start(cwd) {
      if (submission || !draft.prompt.text.trim()) return
      setProblem('')
      const submitted = submit(mux, { ...draft.params(cwd), key: randomKey() })
      setSubmission(submitted)
      try {
        const run = await submitted.run
        if (!run) return
        rememberDirectory(cwd)
        draft.forget()
        overlay.value = undefined
        await showSession(workspace, run.session)
      } catch (error) {
        setProblem(messageOf(error))
        // A closed dialog cannot show the problem.
        if (overlay.peek()?.kind !== 'new-session') say(messageOf(error), 'problem')
      } finally {
        setSubmission(undefined)
      }
    },
    takeBack: () => submission?.takeBack(),
  }
}
