import { render } from 'preact'
import { App } from './app/app.tsx'
import { ConnectScreen, NoToken } from './app/connect-screen.tsx'
import { applyTheme } from './theme.ts'
import { connectToDaemon } from './connect.ts'
import { readFragment, writeFragment } from './fragment.ts'
import { takeToken } from './token.ts'

const root = document.querySelector('#workspace')!
const { code, workspace } = readFragment(location.hash)
// First remove the code from the address bar and the history.
if (code !== undefined) history.replaceState(null, '', `${location.pathname}${writeFragment({ workspace })}`)
// A link opened in this tab may name another workspace or have another code.
addEventListener('hashchange', () => location.reload())
applyTheme()

render(<ConnectScreen title="Connecting…" />, root)
try {
  const token = await takeToken(code)
  render(token === undefined ? <NoToken /> : <App name={workspace} connection={connectToDaemon(token)} />, root)
} catch (error) {
  render(<NoToken why={`The link was not accepted: ${(error as Error).message}`} />, root)
}
