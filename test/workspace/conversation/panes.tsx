import { render } from 'preact'
import { open } from '../../../client/sdk/browser.ts'
import { ConversationPane } from '../../../client/workspace/conversation/conversation-pane.tsx'
import {
  createEventWindow,
  type EventWindow,
  type EventWindowBounds,
} from '../../../client/workspace/conversation/event-window/event-window.ts'

/** What the panes show, from the fragment of the address. */
interface Shown {
  url: string
  token: string
  sessions: string[]
  readOnly?: boolean
}

const { url, token, sessions, readOnly = false } = JSON.parse(decodeURIComponent(location.hash.slice(1))) as Shown
const mux = open({ url, token, patient: true, client: { name: 'workspace', version: '0' } })

render(
  <main class="panes">
    {sessions.map((session, index) => (
      <div class="pane" key={session}>
        <ConversationPane mux={mux} session={session} readOnly={readOnly} active={index === 0} onOpen={() => {}} />
      </div>
    ))}
  </main>,
  document.querySelector('#workspace')!,
)

declare global {
  /** For tests of an event window without its pane. */
  var openEventWindow: (session: string, bounds: EventWindowBounds) => EventWindow
}
globalThis.openEventWindow = (session, bounds) => createEventWindow(mux, session, () => {}, bounds)
