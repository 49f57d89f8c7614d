import { isSimulator } from '../context/simulator.ts'
import { useWorkspace } from '../context/workspace.ts'
import { Icon } from '../parts/icons.tsx'

const examples = [
  'Explain what this project does and how it is put together.',
  'Find the slowest test and make it faster.',
  'Look for a bug that nobody has noticed yet, and fix it.',
]

const simulated = ['Say hello.', 'sim:tools', 'sim:subagent agents=2', 'sim:question']

/** Shown while there is no session: explains what a session is and offers example prompts. */
export function Welcome() {
  const { overlay, readOnly, hello } = useWorkspace()
  return (
    <div role="group" class="block welcome" aria-label="Sessions" tabIndex={-1}>
      <div>
        <h2>No session yet</h2>
        <p class="dim">
          A session is a conversation with Claude Code in one directory. It goes on when this page is closed, and
          everybody who watches it sees the same.
        </p>
        {readOnly ? (
          <p class="dim">This link may only watch: sessions that others begin appear here.</p>
        ) : (
          <>
            <button type="button" class="button primary" onClick={() => (overlay.value = { kind: 'new-session' })}>
              <Icon name="add" />
              New session
            </button>
            <h3 class="small dim">Or begin with</h3>
            <ul class="examples">
              {(isSimulator(hello.value) ? simulated : examples).map(prompt => (
                <li key={prompt}>
                  <button
                    type="button"
                    class="example"
                    onClick={() => (overlay.value = { kind: 'new-session', prompt })}
                  >
                    <span>{prompt}</span>
                    <Icon name="chevron" />
                  </button>
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
    </div>
  )
}
