import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { PtyHostRefused } from '../../daemon/pty-host/attachment.ts'
import type { HeldProcess } from '../../daemon/pty-host/pty-host.ts'
import { openRawLog } from '../../daemon/pty-host/raw-log.ts'
import type { RemotePtyHost } from '../../daemon/pty-host/remote.ts'
import { type Home, openHome } from '../../daemon/home/home.ts'
import { isAlive } from '../support/processes.ts'
import { until } from '../support/until.ts'
import { describePtyHost } from './conformance.ts'
import { follow, processesOf } from './following.ts'
import { blockEventLoop } from './printed-bytes.ts'
import { attachPtyHost, connectedPtyHost, openRemotePtyHost } from './remote-pty-host.ts'

const patience = { timeout: 20_000, interval: 10 }

describePtyHost('a pty-host in a process of its own', openRemotePtyHost)

describe('a pty-host in a process of its own', () => {
  let home: Home
  let ptyHosts: RemotePtyHost[]
  beforeEach(() => {
    ptyHosts = []
    home = openHome(mkdtempSync(join(tmpdir(), 'holder-home-')))
  })
  afterEach(async () => {
    for (const ptyHost of ptyHosts) await ptyHost.close()
    rmSync(home.directory, { recursive: true })
  })
  const attach = async () => {
    const ptyHost = await attachPtyHost(home)
    ptyHosts.push(ptyHost)
    return ptyHost
  }
  const sh = (ptyHost: RemotePtyHost, id: string, script: string) =>
    ptyHost.start({
      id,
      nonce: 'N0',
      command: ['/bin/sh', '-c', script],
      cwd: home.directory,
      env: { PATH: process.env['PATH']! },
    })
  const raw = (held: HeldProcess) => readFileSync(join(home.processes, `${held.id}.raw`), 'utf8')

  it('keeps its processes and their output for the next daemon', async () => {
    const first = await attach()
    const held = await sh(first, 'p_1', 'echo one; read line; echo "$line"; read line; echo "$line"; exit 3')
    await until(() => expect(raw(held)).toBe('one\n'), patience)
    await held.writeLine('two')
    const pid = await connectedPtyHost(first)
    await first.leave()
    await until(() => expect(raw(held)).toBe('one\ntwo\n'), patience)

    const second = await attach()
    expect(second.status()).toMatchObject({ state: 'connected', pid, muxd: expect.any(String) })
    const [again] = second.list()
    expect(again).toMatchObject({ id: 'p_1', pid: held.pid, startedAt: held.startedAt, inputEnded: false, rawBytes: 8 })
    const following = follow(again!, home.processes, 'N0')
    await again!.writeLine('three')
    expect((await following.exit).output.toString()).toBe('one\ntwo\nthree\n')
    await again!.release()
    expect(second.list()).toEqual([])
  })

  it('writes a line once, however often it is sent under the same id, also by different daemons', async () => {
    const first = await attach()
    const held = await sh(first, 'p_1', 'exec cat')
    await Promise.all([held.writeLine('one', 'a'), held.writeLine('one', 'a'), held.writeLine('two', 'b')])
    await first.leave()
    const second = await attach()
    const [again] = second.list()
    await again!.writeLine('two', 'b')
    await again!.writeLine('three', 'c')
    await again!.endInput()
    expect((await follow(again!, home.processes, 'N0').exit).output.toString()).toBe('one\ntwo\nthree\n')
  })

  it('tells the next daemon that an input was closed, and does not list an ended process', async () => {
    const first = await attach()
    const closed = await sh(first, 'p_closed', 'cat; echo end; sleep 1000')
    await closed.endInput()
    const gone = await sh(first, 'p_gone', 'sleep 1000')
    await first.leave()
    process.kill(gone.pid, 'SIGKILL')
    // Its terminal is gone, and the pty-host releases ended processes while no daemon is attached.
    await until(() => expect(processesOf('p_gone')).toEqual([]), patience)
    const second = await attach()
    expect(second.list().map(({ id, inputEnded }) => ({ id, inputEnded }))).toEqual([
      { id: 'p_closed', inputEnded: true },
    ])
  })

  it('exits once its last process has ended and no daemon is attached', async () => {
    const first = await attach()
    const held = await sh(first, 'p_1', 'read line; echo done')
    const pid = await connectedPtyHost(first)
    await held.writeLine('go on', 'a')
    await until(() => expect(raw(held)).toContain('done'), patience)
    await first.leave()
    await until(() => expect(isAlive(pid)).toBe(false), patience)
    expect(processesOf('p_1')).toEqual([])
    expect(raw(held)).toBe('done\n\x1eN0 0\n')

    const second = await attach()
    expect(second.list()).toEqual([])
    expect(await connectedPtyHost(second)).not.toBe(pid)
  })

  it('is started again if it has exited because its daemon was blocked for too long', async () => {
    const ptyHost = await attach()
    // Longer than a pty-host without processes waits for a daemon.
    blockEventLoop(4_000)
    const held = await sh(ptyHost, 'p_1', 'echo done')
    expect((await follow(held, home.processes, 'N0').exit).output.toString()).toBe('done\n')
  })

  it('stays while a process runs without an attached daemon', async () => {
    const first = await attach()
    await sh(first, 'p_1', 'while :; do echo tick; sleep 0.1; done')
    const pid = await connectedPtyHost(first)
    await first.leave()
    // Longer than a pty-host without processes waits for a daemon.
    await new Promise(resolve => setTimeout(resolve, 3_000))
    expect(isAlive(pid)).toBe(true)
    expect((await attach()).list()).toHaveLength(1)
  })

  it('that is killed has its processes reported as lost, and the next pty-host ends them', async () => {
    const ptyHost = await attach()
    const held = await sh(ptyHost, 'p_1', 'trap "" HUP; echo ready; while :; do sleep 0.05; done')
    const pid = await connectedPtyHost(ptyHost)
    await until(() => expect(held.rawBytes).toBe(6), patience)
    const onGrow = vi.fn<(rawBytes: number, ended: boolean) => void>()
    held.onGrow(onGrow)
    process.kill(pid, 'SIGKILL')
    await until(() => expect(onGrow).toHaveBeenLastCalledWith(6, true), patience)
    expect(held.lost).toBe(true)
    expect(ptyHost.list()).toEqual([])
    expect(await connectedPtyHost(ptyHost)).not.toBe(pid)
    await held.release()
    const next = await sh(ptyHost, 'p_2', 'echo next')
    expect(processesOf('p_1')).toEqual([])
    expect((await follow(next, home.processes, 'N0').exit).output.toString()).toBe('next\n')
  })

  it('killed while a process prints, keeps every line that it had appended, in order and whole', async () => {
    const ptyHost = await attach()
    const held = await sh(ptyHost, 'p_1', 'i=0; while :; do i=$((i+1)); echo "line $i"; done')
    const pid = await connectedPtyHost(ptyHost)
    let appended = 0
    held.onGrow(rawBytes => (appended = Math.max(appended, rawBytes)))
    await until(() => expect(appended).toBeGreaterThan(20_000), patience)
    process.kill(pid, 'SIGKILL')
    await until(() => expect(held.lost).toBe(true), patience)

    const log = openRawLog(home.processes, 'p_1', appended)
    onTestFinished(() => log.close())
    expect(log.sizeBytes()).toBeGreaterThanOrEqual(appended)
    let text = ''
    for (let bytes = log.read(0, 65_536); bytes.length > 0; bytes = log.read(text.length, 65_536)) {
      text += bytes.toString('latin1')
    }
    expect(text.length).toBeGreaterThanOrEqual(appended)
    const lines = text.split('\n').slice(0, -1)
    expect(lines).toEqual(lines.map((_, index) => `line ${index + 1}`))
  })

  it('that refuses the daemon makes attaching fail with its versions and its reason', async () => {
    const versions = [98, 99]
    const server = createServer(socket => {
      socket.on('data', () =>
        socket.end(
          `${JSON.stringify({ refused: { versions, muxd: '9.9.9', pid: 4711, why: 'no version in common' } })}\n`,
        ),
      )
    })
    await new Promise<void>(resolve => server.listen(home.ptyHostSocket, resolve))
    const refusal = await attachPtyHost(home).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(PtyHostRefused)
    expect((refusal as Error).message).toMatch(
      /pid 4711, muxd 9\.9\.9.*no version in common.*98, 99.*this daemon 1\b.*muxd stop/,
    )
    server.close()
  })

  it('refuses a daemon with which it has no version in common', async () => {
    const first = await attach()
    await connectedPtyHost(first)
    await first.leave()
    const socket = connect(home.ptyHostSocket)
    let said = ''
    socket.on('data', (chunk: Buffer) => (said += chunk.toString()))
    socket.write(`${JSON.stringify({ hello: { versions: [7], muxd: '9.9.9', pid: 1 } })}\n`)
    await new Promise(resolve => socket.once('close', resolve))
    expect(JSON.parse(said)).toMatchObject({ refused: { versions: [1], why: 'no version in common' } })
    await attach()
  })
})
