import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import type { Run } from '../../protocol/index.ts'
import { openTemporary, removeTemporaryOf } from '../../daemon/home/temporary-place.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { standIn } from '../support/stand-in.ts'
import { tempDir } from '../support/temp-dir.ts'

it('files in TMPDIR outlive a process of the session and are deleted with the session', async () => {
  const claude = standIn(`
    import { existsSync, readFileSync, writeFileSync } from 'node:fs'
    const file = process.env.TMPDIR + '/output'
    serve((uuid, prompt) => {
      init(uuid)
      if (prompt === 'write') writeFileSync(file, 'what the model was told of')
      const said = existsSync(file) ? readFileSync(file, 'utf8') : 'nothing'
      text(said)
      result(uuid, said)
    })`)
  const daemon = await startTestDaemon({ argv: ['--claude-bin', claude] })
  const peer = await daemon.peer()
  const say = async (prompt: string, where: object) => {
    const { session, run } = await peer.call<Run>('run.start', { prompt, ...where })
    const { result } = await peer.call<Run>('run.wait', { run })
    return { session, response: result!.response }
  }
  const { session } = await say('write', { create: { cwd: tempDir() } })
  await peer.call('session.close', { session })
  const { response } = await say('read', { session })
  expect(response).toContain('what the model was told of')
  expect(readdirSync(join(daemon.home, 'tmp'))).toHaveLength(1)
  await peer.call('session.delete', { session })
  expect(readdirSync(join(daemon.home, 'tmp'))).toEqual([])
})

it('TMPDIR is short enough for socket paths even if the path of the home is long', () => {
  const parent = mkdtempSync(join(tmpdir(), 'muxd-test-'))
  onTestFinished(() => rmSync(parent, { recursive: true }))
  const home = { directory: join(parent, 'x'.repeat(150)) }
  mkdirSync(home.directory)
  const directory = openTemporary(home, 's_1')
  onTestFinished(() => rmSync(dirname(dirname(directory)), { recursive: true }))
  expect(existsSync(directory)).toBe(true)
  expect(join(directory, 'x'.repeat(40)).length).toBeLessThanOrEqual(103)
  expect(openTemporary(home, 's_2')).not.toBe(directory)
  removeTemporaryOf(home, 's_1')
  expect(existsSync(directory)).toBe(false)
})
