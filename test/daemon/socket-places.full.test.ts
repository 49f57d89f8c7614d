import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BadHome, homePaths, openHome } from '../../daemon/home/home.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { createTempDir, tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

/** Returns a home whose path has the given number of bytes. */
function homeOf(bytes: number, character = 'h'): string {
  const root = tempDir()
  const left = bytes - Buffer.byteLength(root) - 1
  const home = join(root, character.repeat(Math.floor(left / Buffer.byteLength(character))))
  mkdirSync(home, { mode: 0o700 })
  return home
}

const longest = process.platform === 'linux' ? 107 : 103
const stored = (home: string) => JSON.parse(readFileSync(join(home, 'sockets.json'), 'utf8')) as { directory: string }

// The socket directories are in a temporary directory that is removed after the test.
const { TMPDIR } = process.env
let temporary: ReturnType<typeof createTempDir>
beforeEach(() => {
  temporary = createTempDir()
  process.env['TMPDIR'] = temporary.path
})
afterEach(() => {
  if (TMPDIR === undefined) delete process.env['TMPDIR']
  else process.env['TMPDIR'] = TMPDIR
  temporary.remove()
})

describe('the sockets of a home', () => {
  it.each(Array.from({ length: 51 }, (_, index) => 90 + index))(
    'have paths that fit, with a home of %i bytes',
    bytes => {
      const home = homeOf(bytes)
      const { ptyHostSocket, socket } = openHome(home)
      expect(Buffer.byteLength(ptyHostSocket)).toBeLessThanOrEqual(longest)
      const fits = bytes + '/holder.sock'.length <= longest
      expect([dirname(socket) === home, dirname(ptyHostSocket) === home]).toEqual([fits, fits])
      expect(existsSync(join(home, 'sockets.json'))).toBe(!fits)
      if (!fits) expect(stored(home).directory).toBe(dirname(socket))
    },
  )

  it('stay in place with another TMPDIR, and have another place for another home', () => {
    const [home, other, root] = [homeOf(130), homeOf(130, 'ü'), tempDir()]
    process.env['TMPDIR'] = root
    const { sockets } = openHome(home)
    expect(dirname(dirname(sockets))).toBe(root)
    expect(lstatSync(sockets).mode & 0o777).toBe(0o700)
    process.env['TMPDIR'] = tempDir()
    expect(homePaths(home).sockets).toBe(sockets)
    expect(homePaths(other).sockets).not.toBe(sockets)
    rmSync(sockets, { recursive: true })
    expect(openHome(home).sockets).toBe(sockets)
    expect(existsSync(sockets)).toBe(true)
  })

  it.each<[string, (directory: string) => void]>([
    ['is a link', directory => symlinkSync(tempDir(), directory)],
    ['is a file', directory => writeFileSync(directory, '')],
    [
      'is open to others',
      directory => {
        mkdirSync(directory)
        chmodSync(directory, 0o755)
      },
    ],
  ])('are refused if their directory %s', (_, make) => {
    const home = homeOf(130)
    const directory = join(tempDir(), 'muxd', 'sockets')
    mkdirSync(dirname(directory), { mode: 0o700 })
    make(directory)
    writeFileSync(join(home, 'sockets.json'), JSON.stringify({ directory }))
    expect(() => openHome(home)).toThrow(BadHome)
    expect(() => openHome(home)).toThrow(directory)
  })

  it.each(['', '{}', 'null', '{"directory":"relative"}'])('are refused if sockets.json is %j', content => {
    const home = homeOf(130)
    writeFileSync(join(home, 'sockets.json'), content)
    expect(() => homePaths(home)).toThrow(BadHome)
    expect(() => homePaths(home)).toThrow(join(home, 'sockets.json'))
  })

  it.each([
    [98, 'h'],
    [110, 'ü'],
    [140, 'h'],
  ])(
    'let a daemon start after kill -9 of daemon and pty-host, with a home of %i bytes of %s',
    async (bytes, character) => {
      const home = homeOf(bytes, character)
      const first = await startTestDaemon({ home })
      const { ptyHost } = await (await first.peer()).call<{ ptyHost: { pid: number } }>('daemon.status')
      await first.kill()
      const second = await startTestDaemon({ home, env: { TMPDIR: tempDir() } })
      await until(async () =>
        expect(await (await second.peer()).call('daemon.status')).toMatchObject({ ptyHost: { state: 'connected' } }),
      )
      await second.kill()
      if (ptyHost.pid)
        try {
          process.kill(ptyHost.pid, 'SIGKILL')
        } catch {}
      const third = await startTestDaemon({ home })
      const { sockets, socket, ptyHostSocket } = homePaths(home)
      expect(third.info.socket).toBe(socket)
      for (const path of [socket, ptyHostSocket]) rmSync(path, { force: true })
      if (sockets !== home) rmSync(sockets, { recursive: true })
      await until(() => expect([socket, ptyHostSocket].map(path => existsSync(path))).toEqual([true, true]))
      expect(await third.stop()).toBe(0)
    },
  )
})
