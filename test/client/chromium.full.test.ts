import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import type * as Sdk from '../../client/sdk/browser.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'
import { describeInChromium } from './chromium.ts'

/** In the page. */
declare const sdk: typeof Sdk

describeInChromium('the SDK in Chromium', openPage => {
  it('starts a run from a page of the daemon, follows it and gets its result', async () => {
    const { info } = await startTestDaemon()
    const page = await openPage(info.url.replace('ws:', 'http:').replace('/ws', '/healthz'))
    const seen = await page.evaluate(
      async ({ url, token, cwd }) => {
        const mux = await sdk.connect({ url, token })
        const run = await mux.run({ prompt: 'sim:tools', cwd })
        const types: string[] = []
        for await (const event of run.events()) types.push(event.type)
        const { response } = await run.result()
        mux.close()
        return { types, response, state: mux.state }
      },
      { url: info.url, token: info.token, cwd: tempDir() },
    )
    expect(seen.types[0]).toBe('run_queued')
    expect(seen.types.at(-1)).toBe('done')
    expect(seen.types).toEqual(expect.arrayContaining(['assistant_text', 'tool_use', 'tool_result', 'cost']))
    expect(seen).toMatchObject({ response: expect.stringMatching(/./), state: 'closed' })
  })

  it('is rejected on a page of another origin unless that origin is configured', async () => {
    const other = createServer((_request, response) => response.end('somebody else')).listen(0, '127.0.0.1')
    onTestFinished(() => void other.close())
    await once(other, 'listening')
    const origin = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
    const outcomes = []
    for (const allowedOrigins of [[], [origin]]) {
      const { info } = await startTestDaemon({ config: { allowedOrigins } })
      const page = await openPage(`${origin}/`)
      const outcome = await page.evaluate(
        ({ url, token }) =>
          sdk.connect({ url, token }).then(
            () => 'connected',
            (error: Error) => error.name,
          ),
        { url: info.url, token: info.token },
      )
      outcomes.push(outcome)
    }
    expect(outcomes).toEqual(['Unavailable', 'connected'])
  })
})
