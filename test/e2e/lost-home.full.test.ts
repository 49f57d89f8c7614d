import { copyFileSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Run } from '../../protocol/index.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const losses = [
  ['its home was removed', /the home .* was removed/, (home: string) => rmSync(home, { recursive: true })],
  [
    'its home was replaced by another',
    /the home .* was replaced/,
    (home: string) => {
      renameSync(home, `${home}-moved`)
      mkdirSync(home, { mode: 0o700 })
    },
  ],
  ['its database was removed', /the database .* was removed/, (home: string) => rmSync(join(home, 'muxd.db'))],
  [
    'its database was replaced by another',
    /the database .* was replaced/,
    (home: string) => {
      copyFileSync(join(home, 'muxd.db'), join(home, 'copy'))
      renameSync(join(home, 'copy'), join(home, 'muxd.db'))
    },
  ],
] as const

describe('a daemon', () => {
  it.each(losses)(
    'interrupts its runs, says bye to its clients and exits with 5 when %s',
    async (_what, reason, lose) => {
      const daemon = await startTestDaemon()
      const peer = await daemon.peer()
      const run = await peer.call<Run>('run.start', { create: { cwd: tempDir() }, prompt: 'sim:hang at=text' })
      const topic = `session/${run.session}`
      await peer.call('topic.subscribe', { topic, since: 'start' })
      await until(() => expect(peer.events(topic).map(({ type }) => type)).toContain('assistant_text'))
      lose(daemon.home)
      await until(() => expect(peer.events(topic).at(-1)).toMatchObject({ type: 'interrupted' }), { timeout: 20_000 })
      expect(await peer.closed).toBe(4000)
      expect(peer.notifications.filter(({ method }) => method === 'bye')).toMatchObject([
        { params: { code: 4000, reconnect: true } },
      ])
      expect(await daemon.ended()).toBe(5)
      expect(daemon.log()).toMatch(reason)
    },
  )
})
