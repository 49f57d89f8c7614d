import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { startTestDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { jsonLines, muxd } from './muxd.ts'

const link = /^http:\/\/127\.0\.0\.1:\d+\/#code=[\w-]{32}\n$/

it('open prints only a link when there is no browser or --print is given', async () => {
  const { home } = await startTestDaemon()
  const call = (...argv: string[]) =>
    muxd(['open', ...argv, '--home', home], { env: { DISPLAY: '', WAYLAND_DISPLAY: '' } }).ended
  expect(await call()).toMatchObject({ code: 0, stdout: expect.stringMatching(link) })
  expect(await call('--print', '--observe')).toMatchObject({ code: 0, stdout: expect.stringMatching(link) })
  const [json] = jsonLines((await call('--json')).stdout)
  expect(json).toEqual({ url: expect.stringMatching(/#code=/), expiresAt: expect.any(Number) })
})

it.skipIf(process.platform !== 'linux')(
  'open gives the browser a page that only its owner can read, never the link itself',
  async () => {
    const { home } = await startTestDaemon()
    const bin = tempDir()
    writeFileSync(
      join(bin, 'xdg-open'),
      `#!/bin/sh\necho "$@" > ${bin}/opened.tmp && mv ${bin}/opened.tmp ${bin}/opened\n`,
      {
        mode: 0o755,
      },
    )
    const env = { DISPLAY: ':99', PATH: `${bin}:${process.env['PATH']}` }
    expect(await muxd(['open', '--home', home], { env }).ended).toMatchObject({ code: 0, stdout: '' })
    await until(() => expect(readdirSync(bin)).toContain('opened'))
    const page = readFileSync(join(bin, 'opened'), 'utf8').trim()
    expect(page).toBe(join(home, 'open.html'))
    expect(statSync(page).mode & 0o777).toBe(0o600)
    expect(readFileSync(page, 'utf8')).toMatch(/url=http:\/\/127\.0\.0\.1:\d+\/#code=/)
  },
)
