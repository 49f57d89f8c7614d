import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Run, Session } from '../../protocol/index.ts'
import { limits } from '../../protocol/limits.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { standIn } from '../support/stand-in.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const patience = { timeout: 30_000, interval: 20 }

it('session.get names the pid of Claude Code, not of its shim, also after another daemon takes over', async () => {
  const before = await startTestDaemon()
  const peer = await before.peer()
  const { session, run } = await peer.call<Run>('run.start', {
    create: { cwd: tempDir() },
    prompt: 'sim:text one',
  })
  await peer.call('run.wait', { run })
  const { process: started } = await peer.call<Session>('session.get', { session })
  expect(readFileSync(`/proc/${started!.pid}/cmdline`, 'utf8')).toMatch(/^[^\0]*node\0.*simulator/)
  await before.kill()
  const after = await startTestDaemon({ home: before.home })
  const again = await (await after.peer()).call<Session>('session.get', { session })
  expect(again.process).toEqual(started)
})

it('the end of a stderr flood that comes while no daemon runs is kept and shown with the failure', async () => {
  const claude = standIn(`
    import { existsSync, writeSync } from 'node:fs'
    serve(async uuid => {
      init(uuid)
      text('ready')
      while (!existsSync('go')) await new Promise(resolve => setTimeout(resolve, 20))
      const warnings = Buffer.alloc(1 << 20, 'warning\\n')
      for (let count = 0; count < 50; count++) writeSync(2, warnings)
      writeSync(2, 'Error: the last words\\n')
      process.exit(1)
    })`)
  const cwd = tempDir()
  const before = await startTestDaemon({ argv: ['--claude-bin', claude] })
  const peer = await before.peer()
  const { session, run } = await peer.call<Run>('run.start', { create: { cwd }, prompt: 'flood' })
  await peer.call('topic.subscribe', { topic: `session/${session}`, since: 'start' })
  await until(
    () => expect(peer.events(`session/${session}`)).toContainEqual(expect.objectContaining({ type: 'assistant_text' })),
    patience,
  )
  await before.kill()
  writeFileSync(join(cwd, 'go'), '')
  const processes = join(before.home, 'processes')
  await until(() => expect(readdirSync(processes).filter(name => name.endsWith('.in'))).toEqual([]), patience)
  const err = readdirSync(processes).find(name => name.endsWith('.err'))
  expect(statSync(join(processes, err!)).size).toBe(limits.maxStderrBytes)

  const after = await startTestDaemon({ home: before.home, argv: ['--claude-bin', claude] })
  const ended = await (await after.peer()).call<Run>('run.wait', { run })
  expect(ended).toMatchObject({ state: 'failed', result: { failure: { exitCode: 1 } } })
  expect(ended.result?.failure?.stderrTail).toMatch(/warning\nError: the last words\n?$/)
})
