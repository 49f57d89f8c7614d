import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { connect } from '../../client/sdk/index.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'
import { describeWithPages } from './chromium.ts'

const html = readFileSync(new URL('../../examples/page.html', import.meta.url), 'utf8')

describeWithPages('the example page', newPage => {
  it('follows all runs from an origin of its own, with the SDK that the daemon serves', async () => {
    const server = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html')
      response.end(html)
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const { home, info } = await startTestDaemon({ config: { allowedOrigins: [origin] } })
    const mux = await connect({ home })
    onTestFinished(() => mux.close())
    const before = await mux.run({ prompt: 'sim:text said before', cwd: tempDir() })
    await before.result()

    const page = await newPage()
    await page.goto(`${origin}/page.html#url=${encodeURIComponent(info.url)}&token=${info.observeToken}`)
    await page.getByText('said before', { exact: true }).waitFor()
    const run = await mux.run({ prompt: 'sim:slow words=500 delayMs=20', cwd: tempDir() })
    await page.getByText('sim:slow').waitFor()
    await run.cancel('enough')
    await page.locator('article[data-state=cancelled]', { hasText: /cancelled by \S+/ }).waitFor()
    expect(await page.locator('article').count()).toBe(2)
  })
})
