import { render } from 'preact'

render(<p>muxd</p>, document.querySelector('#workspace')!)
