import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { DaemonInfo, GcResult, Run, Session } from '../../protocol/index.ts'
import { canMount, program, startTestDaemon, tempHome } from '../support/daemon.ts'
import { fillDisk } from '../support/fill-disk.ts'
import { openPeer, type RpcPeer } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { readLog } from '../support/whole-log.ts'

const start = (peer: RpcPeer, prompt: string) => peer.call<Run>('run.start', { create: { cwd: tempDir() }, prompt })
const ended = (peer: RpcPeer, { run }: Run) => peer.call<Run>('run.wait', { run, timeoutMs: 60_000 })
const freeIn = (directory: string) => {
  const { bavail, bsize } = statfsSync(directory)
  return bavail * bsize
}

describe.skipIf(!canMount)('on a full disk (skipped where no disk can be mounted)', () => {
  it('deleted sessions free space, and other changes are rejected with advice', async () => {
    const daemon = await startTestDaemon({ disk: { bytes: 96 * 1024 * 1024 } })
    const peer = await daemon.peer()
    const runs: Run[] = []
    for (let index = 0; index < 2; index++) runs.push(await start(peer, 'sim:flood frames=3000 size=1000'))
    const kept = await start(peer, 'sim:text')
    for (const run of [...runs, kept]) expect(await ended(peer, run)).toMatchObject({ state: 'done' })
    const ballast = join(daemon.seenHome, 'ballast')
    expect(existsSync(ballast)).toBe(true)

    fillDisk(daemon.seenHome)
    // Some updates still fit into the file of the write-ahead log.
    const refusal = await updatesUntilRefused(peer, kept.session)
    expect(refusal).toMatch(/the disk .* is full.*free space by deleting sessions .*muxd gc/)
    expect(freeIn(daemon.seenHome)).toBeLessThan(64 * 1024)

    for (const { session } of runs) await peer.call('session.delete', { session })
    await until(() => expect(freeIn(daemon.seenHome)).toBeGreaterThan(10 * 1024 * 1024), { timeout: 60_000 })
    await until(
      async () => {
        await peer.call<Session>('session.update', { session: kept.session, title: 'there is room' })
        expect(statSync(ballast).size).toBe(4 * 1024 * 1024)
      },
      { timeout: 20_000 },
    )
    const { sessions } = await peer.call<{ sessions: Session[] }>('session.list')
    expect(sessions.map(({ title }) => title)).toEqual(['there is room'])
  }, 180_000)

  it('daemon.gc drops raw logs and gives their space back', async () => {
    const daemon = await startTestDaemon({ disk: { bytes: 96 * 1024 * 1024 }, config: { rawLogAfterMs: 1 } })
    const peer = await daemon.peer()
    const run = await start(peer, 'sim:flood frames=3000 size=1000')
    expect(await ended(peer, run)).toMatchObject({ state: 'done' })
    await peer.call('session.close', { session: run.session })
    const before = await readLog(params => peer.call('topic.read', params), run.session)
    fillDisk(daemon.seenHome)
    expect(freeIn(daemon.seenHome)).toBeLessThan(64 * 1024)

    const { freedBytes } = await peer.call<GcResult>('daemon.gc', {})
    expect(freedBytes).toBeGreaterThan(2 * 1024 * 1024)
    await until(() => expect(freeIn(daemon.seenHome)).toBeGreaterThan(2 * 1024 * 1024), { timeout: 60_000 })
    expect(await readLog(params => peer.call('topic.read', params), run.session)).toEqual(before)
  }, 180_000)

  it('a daemon starts, deletes sessions and recreates its ballast', async () => {
    const home = tempHome()
    mkdirSync(home, { mode: 0o700 })
    // The mount lasts as long as this process.
    const mount = 'mount -t tmpfs -o size=64m,mode=700 tmpfs "$1" && echo mounted && exec cat'
    const disk = spawn('unshare', ['-rm', 'sh', '-c', mount, 'sh', home], { stdio: ['pipe', 'pipe', 'inherit'] })
    onTestFinished(() => void disk.stdin.end())
    await once(disk.stdout, 'data')
    const seenHome = `/proc/${disk.pid}/root${home}`
    const ballast = join(seenHome, 'ballast')

    const first = await serveOn(disk, home, seenHome)
    const run = await start(first.peer, 'sim:flood frames=3000 size=1000')
    expect(await ended(first.peer, run)).toMatchObject({ state: 'done' })
    expect(await first.stop()).toBe(0)
    expect(existsSync(ballast)).toBe(true)
    fillDisk(seenHome)
    expect(freeIn(seenHome)).toBeLessThan(4_096)

    const second = await serveOn(disk, home, seenHome)
    await second.peer.call('session.delete', { session: run.session })
    await until(() => expect(freeIn(seenHome)).toBeGreaterThan(8 * 1024 * 1024), { timeout: 60_000 })
    await until(
      async () => {
        expect(await ended(second.peer, await start(second.peer, 'sim:text'))).toMatchObject({ state: 'done' })
        expect(statSync(ballast).size).toBe(4 * 1024 * 1024)
      },
      { timeout: 30_000 },
    )
    expect(await second.stop()).toBe(0)
  }, 180_000)
})

async function updatesUntilRefused(peer: RpcPeer, session: string): Promise<string> {
  for (let index = 0; index < 20_000; index++) {
    try {
      await peer.call('session.update', { session, title: 'x'.repeat(900) + String(index) })
    } catch (error) {
      return (error as Error).message
    }
  }
  throw new Error('nothing was refused')
}

/** Starts a daemon on the disk that `disk` has mounted. */
async function serveOn(disk: ChildProcess, home: string, seenHome: string) {
  const enter = ['-t', String(disk.pid), '-U', '-m', '--preserve-credentials']
  const serve = [process.execPath, program, '--home', home, '--port', '0', '--simulate']
  const env = { ...process.env, MUXD_SIMULATOR_HOME: `${home}-simulator`, XDG_STATE_HOME: `${home}-state` }
  const daemon = spawn('nsenter', [...enter, ...serve], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  daemon.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()))
  const exited = once(daemon, 'close') as Promise<[number | null]>
  onTestFinished(() => void daemon.kill('SIGTERM'))
  const info = await until(
    () => {
      if (daemon.exitCode !== null) throw new Error(`the daemon ended: ${log}`)
      const found = JSON.parse(readFileSync(join(seenHome, 'daemon.json'), 'utf8')) as DaemonInfo
      expect(found.pid).toBe(daemon.pid)
      return found
    },
    { timeout: 30_000 },
  )
  const peer = await openPeer(info.url, info.token)
  return {
    peer,
    async stop() {
      peer.terminate()
      daemon.kill('SIGTERM')
      return (await exited)[0]
    },
  }
}
