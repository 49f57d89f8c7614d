import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Run } from '../../protocol/index.ts'
import { failToStart, startTestDaemon, tempHome } from '../support/daemon.ts'
import type { RpcPeer } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'

const start = (peer: RpcPeer, prompt: string, cwd = tempDir()) =>
  peer.call<Run>('run.start', { create: { cwd }, prompt })
const refusal = (kind: string, data: object = {}) => ({ error: { data: { kind, ...data } } })

function script(directory: string, name: string, text: string): string {
  const path = join(directory, name)
  writeFileSync(path, `#!/bin/sh\n${text}\n`)
  chmodSync(path, 0o755)
  return path
}

describe('without a usable Claude Code', () => {
  it.each([
    ['no file at the given path', undefined, /does not exist/],
    ['another program', 'echo "git version 2.39.5"', /is no Claude Code/],
    ['a version that is too old', 'echo "1.0.30 (Claude Code)"', /is too old/],
  ])('run.start is rejected with agent_unavailable: %s', async (_title, text, message) => {
    const directory = tempDir()
    const path = text === undefined ? join(directory, 'claude') : script(directory, 'claude', text)
    const daemon = await startTestDaemon({ argv: ['--claude-bin', path] })
    const peer = await daemon.peer()
    const error: unknown = await start(peer, 'hello').catch((reason: unknown) => reason)
    expect(error).toMatchObject(
      refusal('agent_unavailable', {
        agent: 'claude',
        tried: [expect.stringContaining(path)],
        install: expect.stringContaining('npm install'),
      }),
    )
    expect((error as Error).message).toMatch(message)
    expect(await peer.call('session.list')).toEqual({ sessions: [] })
    expect(await peer.call('daemon.status')).toMatchObject({ agents: [] })
  })

  it('a run whose Claude Code exits without output fails with no_output', async () => {
    const directory = tempDir()
    const path = script(directory, 'claude', `[ "$1" = --version ] && echo "2.1.0 (Claude Code)" && exit; exit 0`)
    const daemon = await startTestDaemon({ argv: ['--claude-bin', path] })
    const peer = await daemon.peer()
    const run = await start(peer, 'hello')
    const ended = await peer.call<Run>('run.wait', { run: run.run })
    expect(ended).toMatchObject({ state: 'failed', result: { failure: { code: 'no_output' } } })
  })
})

describe('the daemon', () => {
  it.each([
    ['a working directory that does not exist', { create: { cwd: '/nowhere/at/all' }, prompt: 'x' }, '/create/cwd'],
    ['a working directory that is a file', { create: { cwd: '/etc/passwd' }, prompt: 'x' }, '/create/cwd'],
    ['a relative working directory', { create: { cwd: 'project' }, prompt: 'x' }, '/create/cwd'],
    ['an empty prompt', { create: { cwd: '/' }, prompt: '' }, '/prompt'],
    ['a prompt of white space', { create: { cwd: '/' }, prompt: ' \n\t' }, '/prompt'],
    ['a prompt over the limit', { create: { cwd: '/' }, prompt: 'x'.repeat(3 * 1024 * 1024 + 1) }, '/prompt'],
    ['a prompt that is not a string', { create: { cwd: '/' }, prompt: 7 }, '/prompt'],
    ['neither session nor create', { prompt: 'x' }, '/session'],
    ['both session and create', { session: 's_x', create: { cwd: '/' }, prompt: 'x' }, '/session'],
    [
      'an option of a wrong type',
      { create: { cwd: '/', options: { maxTurns: 'many' } }, prompt: 'x' },
      '/create/options/maxTurns',
    ],
  ])('rejects run.start with %s and names the path in the call', async (_title, params, path) => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    await expect(peer.call('run.start', params)).rejects.toMatchObject(
      refusal('invalid_params', { path, expected: expect.any(String) }),
    )
    expect(await peer.call('run.list')).toEqual({ runs: [] })
  })

  it.each([
    ['session.get', { session: 's_none' }],
    ['run.get', { run: 'r_none' }],
    ['run.wait', { run: 'r_none' }],
    ['run.start', { session: 's_none', prompt: 'x' }],
    ['topic.subscribe', { topic: 'session/s_none' }],
    ['topic.read', { topic: 'session/s_none/frames', after: 0 }],
  ])('rejects %s for an unknown session or run with not_found', async (method, params) => {
    const daemon = await startTestDaemon()
    await expect((await daemon.peer()).call(method, params)).rejects.toMatchObject(refusal('not_found'))
  })

  it('rejects a run outside the allowed directories and accepts one inside', async () => {
    const root = tempDir()
    const daemon = await startTestDaemon({ argv: ['--simulate', '--allow-root', root] })
    const peer = await daemon.peer()
    await expect(start(peer, 'sim:text', '/')).rejects.toMatchObject(refusal('invalid_params', { path: '/create/cwd' }))
    const run = await start(peer, 'sim:text', root)
    expect(await peer.call('run.wait', { run: run.run })).toMatchObject({ state: 'done' })
  })

  it('rejects arguments and bypassPermissions unless the configuration allows them', async () => {
    const chosen = [{ args: ['--effort', 'low'] }, { permissionMode: 'bypassPermissions' }]
    const strict = await (await startTestDaemon()).peer()
    for (const options of chosen) {
      await expect(
        strict.call('run.start', { create: { cwd: tempDir(), options }, prompt: 'x' }),
      ).rejects.toMatchObject(refusal('forbidden'))
    }
    const config = { allowArgs: true, allowBypassPermissions: true }
    const lax = await (await startTestDaemon({ config })).peer()
    for (const options of chosen) await lax.call('session.create', { cwd: tempDir(), options })
  })

  it('rejects mutating methods with the observe token, which may wait for a run', async () => {
    const daemon = await startTestDaemon()
    const [control, observer] = [await daemon.peer(), await daemon.peer('observer', daemon.info.observeToken)]
    await expect(start(observer, 'sim:text')).rejects.toMatchObject(refusal('forbidden'))
    const run = await start(control, 'sim:text')
    expect(await observer.call('run.wait', { run: run.run })).toMatchObject({ state: 'done' })
    await expect(observer.call('run.cancel', { run: run.run })).rejects.toMatchObject(refusal('forbidden'))
    await expect(observer.call('daemon.stop')).rejects.toMatchObject(refusal('forbidden'))
  })
})

describe('a prompt', () => {
  it.each([
    ['of 2 MB', 'sim:text ' + 'x'.repeat(2 * 1024 * 1024)],
    ['that begins with a dash', '--help -p'],
    ['with line breaks and control characters', 'two\nlines\u2028\u0000\u001b[31m and "quotes"'],
  ])('%s works', async (_title, prompt) => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    const run = await start(peer, prompt)
    const ended = await peer.call<Run>('run.wait', { run: run.run })
    expect(ended).toMatchObject({ state: 'done', prompt })
  })
})

describe('starting a daemon', () => {
  it('fails in a home with a running daemon, and names that daemon', async () => {
    const daemon = await startTestDaemon()
    const second = await failToStart(['--home', daemon.home, '--port', '0', '--simulate'])
    expect(second.code).toBe(3)
    expect(second.stderr).toContain(`pid ${daemon.pid}`)
    expect(second.stderr).toContain(daemon.info.url)
    expect(JSON.parse(readFileSync(join(daemon.home, 'daemon.json'), 'utf8'))).toEqual(daemon.info)
    await daemon.peer()
  })

  it('fails on a port in use, and names the port', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const { port } = server.address() as { port: number }
    const { code, stderr } = await failToStart(['--home', tempHome(), '--port', String(port), '--simulate'])
    expect(code).toBe(3)
    expect(stderr).toContain(`port ${port}`)
    expect(stderr).not.toContain('    at ')
  })

  it('fails in a home that others may enter, and prints the chmod command', async () => {
    const home = tempHome()
    mkdirSync(home, { recursive: true })
    chmodSync(home, 0o755)
    const { code, stderr } = await failToStart(['--home', home, '--port', '0'])
    expect(code).toBe(2)
    expect(stderr).toContain(`chmod 700 ${home}`)
  })

  it('fails with an unknown option', async () => {
    const { code, stderr } = await failToStart(['--home', tempHome(), '--prot', '1'])
    expect(code).toBe(2)
    expect(stderr).toContain('--prot')
  })

  it('fails if muxd.db is not a database, and leaves the file unchanged', async () => {
    const home = tempHome()
    mkdirSync(home, { recursive: true, mode: 0o700 })
    const content = 'not a database at all, but somebody wrote it with care\n'.repeat(100)
    writeFileSync(join(home, 'muxd.db'), content)
    const { code, stderr } = await failToStart(['--home', home, '--port', '0'])
    expect(code).toBe(3)
    expect(stderr).toContain('muxd.db')
    expect(readFileSync(join(home, 'muxd.db'), 'utf8')).toBe(content)
  })
})
