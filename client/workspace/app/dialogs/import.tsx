import { useSignal } from '@preact/signals'
import type { Importable } from '../../../sdk/browser.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { DialogFoot } from '../../parts/dialog-foot.tsx'
import { bytes, messageOf, oneLine } from '../../parts/format.ts'
import { Ago } from '../../parts/time.tsx'
import { DirectoryField, rememberDirectory, useDirectory } from './directory.tsx'
import { showSession } from '../../context/show-session.ts'
import { useWorkspace } from '../../context/workspace.ts'

/** The dialog that imports a conversation that was started without muxd in a directory. */
export function ImportConversation() {
  const workspace = useWorkspace()
  const { api, overlay } = workspace
  const directory = useDirectory()
  const found = useSignal<{ cwd: string; conversations: readonly Importable[] } | undefined>(undefined)
  const problem = useSignal('')
  const close = () => (overlay.value = undefined)
  const attempt = async (work: () => Promise<void>) => {
    problem.value = ''
    try {
      await work()
    } catch (error) {
      problem.value = messageOf(error)
    }
  }
  const look = () =>
    attempt(async () => {
      const cwd = directory.value.trim()
      const { conversations } = await api.session.importable({ cwd, limit: 50 })
      found.value = { cwd, conversations }
    })
  const take = (cwd: string, { conversationId, session: known }: Importable) =>
    attempt(async () => {
      const session = known ?? (await api.session.create({ cwd, conversationId })).session
      rememberDirectory(cwd)
      close()
      await showSession(workspace, session)
    })

  return (
    <Dialog label="Import a conversation" class="import" onClose={close}>
      <form
        onSubmit={event => {
          event.preventDefault()
          void look()
        }}
      >
        <h2>Import a conversation</h2>
        <DirectoryField directory={directory} autoFocus />
        {found.value?.conversations.length === 0 && <p class="dim">No conversation was begun in {found.value.cwd}.</p>}
        <DialogFoot problem={problem.value} onClose={close}>
          <button type="submit" class="button primary">
            Look
          </button>
        </DialogFoot>
      </form>
      {found.value && (
        <ul class="importable" aria-label="Conversations">
          {found.value.conversations.map(conversation => (
            <li key={conversation.conversationId}>
              <button type="button" class="button" onClick={() => void take(found.value!.cwd, conversation)}>
                {conversation.session ? 'Open' : 'Import'}
              </button>
              <span class="clip grow" dir="auto">
                {oneLine(conversation.prompt) || conversation.conversationId}
              </span>
              <span class="small dim numeric">
                {conversation.openIn && `open in process ${conversation.openIn.pid}, `}
                {bytes(conversation.sizeBytes)}, <Ago at={conversation.updatedAt} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </Dialog>
  )
}
