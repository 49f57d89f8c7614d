import { mkdirSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createInProcessPtyHost } from '../../../daemon/pty-host/in-process.ts'
import type { Run, Session } from '../../../protocol/index.ts'
import { startTestDaemon } from '../../support/daemon.ts'
import { tempDir } from '../../support/temp-dir.ts'

/** Creates a session in an allowed directory. `run` returns how a run in a new process ends. */
async function sessionIn(options: object = {}) {
  const base = realpathSync(tempDir())
  const [root, cwd, outside] = [join(base, 'root'), join(base, 'root/project'), join(base, 'outside')]
  for (const directory of [cwd, outside, join(root, 'more')]) mkdirSync(directory, { recursive: true })
  writeFileSync(join(root, 'settings.json'), '{}')
  const daemon = await startTestDaemon({ argv: ['--simulate', '--allow-root', root] })
  const peer = await daemon.peer()
  const { session } = await peer.call<Session>('session.create', { cwd, options })
  const run = async () => {
    const { run: id } = await peer.call<Run>('run.start', { session, prompt: 'sim:text' })
    const ended = await peer.call<Run>('run.wait', { run: id })
    await peer.call('session.close', { session })
    return { state: ended.state, code: ended.result?.failure?.code, detail: ended.result?.failure?.detail }
  }
  return { root, cwd, outside, run }
}

describe('the start of a process', () => {
  it('fails if its working directory was replaced by a link', async () => {
    const { cwd, outside, run } = await sessionIn()
    expect((await run()).state).toBe('done')
    renameSync(cwd, `${cwd}-moved`)
    symlinkSync(outside, cwd)
    const failed = await run()
    expect(failed).toMatchObject({ state: 'failed', code: 'spawn_failed' })
    expect(failed.detail).toBe(`the directory ${cwd} was replaced: it leads to ${outside} now`)
    // A link to a directory within the allowed root is refused too.
    rmSync(cwd)
    symlinkSync(`${cwd}-moved`, cwd)
    expect((await run()).detail).toBe(`the directory ${cwd} was replaced: it leads to ${cwd}-moved now`)
    rmSync(cwd)
    renameSync(`${cwd}-moved`, cwd)
    expect((await run()).state).toBe('done')
  })

  it('fails if its working directory is missing or not a directory', async () => {
    const { cwd, run } = await sessionIn()
    rmSync(cwd, { recursive: true })
    expect(await run()).toMatchObject({ state: 'failed', detail: `cwd: "${cwd}" does not exist` })
    writeFileSync(cwd, '')
    expect(await run()).toMatchObject({ state: 'failed', detail: `cwd: "${cwd}" is not a directory` })
  })

  it('fails if an added directory or a settings file leads outside the allowed roots', async () => {
    const { root, outside, run } = await sessionIn({ addDirs: ['../more'], settings: '../settings.json' })
    expect((await run()).state).toBe('done')
    rmSync(join(root, 'more'), { recursive: true })
    symlinkSync(outside, join(root, 'more'))
    expect((await run()).detail).toContain('addDirs[0]')
    rmSync(join(root, 'more'))
    mkdirSync(join(root, 'more'))
    rmSync(join(root, 'settings.json'))
    symlinkSync('/etc/hosts', join(root, 'settings.json'))
    expect((await run()).detail).toContain('settings:')
  })
})

it('a process whose working directory is a link fails before its command runs', async () => {
  const base = realpathSync(tempDir())
  mkdirSync(join(base, 'there'))
  symlinkSync(join(base, 'there'), join(base, 'link'))
  mkdirSync(join(base, 'processes'))
  const ptyHost = createInProcessPtyHost({ dir: join(base, 'processes') })
  const started = ptyHost.start({
    id: 'p_1',
    nonce: 'N',
    command: ['/bin/sh', '-c', 'touch ran'],
    cwd: join(base, 'link'),
    env: {},
  })
  await expect(started).rejects.toThrow(`the directory ${base}/link leads to ${base}/there now`)
  await ptyHost.close()
  expect(() => realpathSync(join(base, 'there/ran'))).toThrow('ENOENT')
})
