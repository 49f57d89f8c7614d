import { randomBytes, randomInt } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type HeldProcess, type PtyHost, InputClosed, SpawnFailed } from '../../daemon/pty-host/pty-host.ts'
import { limits } from '../../protocol/limits.ts'
import { openRawLog } from '../../daemon/pty-host/raw-log.ts'
import { type Following, follow, openDescriptors, processesOf } from './following.ts'
import { until } from '../support/until.ts'

export interface PtyHostUnderTest {
  ptyHost: PtyHost
  /** The pid of the process that owns the terminals. */
  pid: number
  /** Ends everything that `makePtyHost` started around the pty-host. Called after the pty-host has closed. */
  dispose?(): Promise<void>
}

const patience = { timeout: 10_000, interval: 5 }

/** Defines the tests that every pty-host must pass, wherever its terminals are. Linux only: they read /proc. */
export function describePtyHost(name: string, makePtyHost: (dir: string) => Promise<PtyHostUnderTest>): void {
  // oxlint-disable-next-line vitest/valid-title -- the subject's name
  describe(name, () => {
    let dir: string
    let subject: PtyHostUnderTest
    let ids: string[]

    beforeEach(async () => {
      dir = mkdtempSync(join(tmpdir(), 'pty-host-'))
      subject = await makePtyHost(dir)
      ids = []
    })

    // Whatever a test did to its processes, closing the pty-host leaves none of them.
    afterEach(async () => {
      await subject.ptyHost.close()
      expect(subject.ptyHost.list()).toEqual([])
      expect(ids.flatMap(processesOf)).toEqual([])
      expect(openDescriptors(process.pid, dir).filter(target => target.endsWith('.in'))).toEqual([])
      expect(readdirSync(dir).filter(file => !/\.(raw|times|err)$/.test(file))).toEqual([])
      await subject.dispose?.()
      rmSync(dir, { recursive: true })
    })

    interface Started extends Following {
      held: HeldProcess
    }
    const env = { PATH: process.env['PATH']!, LC_ALL: 'C.UTF-8' }

    const start = async (
      command: [string, ...string[]],
      options: { id?: string; cwd?: string; env?: Record<string, string> } = {},
    ): Promise<Started> => {
      const id = options.id ?? `p_${randomBytes(6).toString('hex')}`
      const nonce = randomBytes(8).toString('hex')
      ids.push(id)
      const held = await subject.ptyHost.start({
        id,
        nonce,
        command,
        cwd: options.cwd ?? dir,
        env: { ...env, ...options.env },
      })
      return { held, ...follow(held, dir, nonce) }
    }
    const sh = (script: string, options: { id?: string } = {}) => start(['/bin/sh', '-c', script], options)
    const file = (held: HeldProcess, ending: string) => join(dir, `${held.id}.${ending}`)
    const commandPid = (held: HeldProcess) => Number(readFileSync(file(held, 'pid'), 'utf8'))

    describe('starting', () => {
      it('gives the command a terminal of 200x50 as stdout only, and FIFOs as stdin and stderr', async () => {
        const { held, exit } = await sh('for fd in 0 1 2; do test -t $fd; echo $?; done; stty size <&1; echo oops >&2')
        expect((await exit).output.toString()).toBe('1\n0\n1\n50 200\n')
        expect(readFileSync(file(held, 'err'), 'utf8')).toBe('oops\n')
      })

      it('passes arguments, environment and directory as they are', async () => {
        const awkward = ['', ' ', '-n', '--', '$HOME `id` "\'\\', 'two\nlines', 'ünï', '*']
        const { exit } = await start(['/usr/bin/env', 'printf', '<%s>', ...awkward])
        expect((await exit).output.toString()).toBe(awkward.map(argument => `<${argument}>`).join(''))
        const variables = { TERM: 'dumb', NO_COLOR: '1', status: 'a', files: 'b', nonce: 'c', EMPTY: '' }
        const names = Object.keys(variables)
        const other = await start(['/bin/sh', '-c', `pwd; printenv ${names.join(' ')}`], {
          cwd: '/usr',
          env: variables,
        })
        expect((await other.exit).output.toString().split('\n')).toEqual(['/usr', ...Object.values(variables), ''])
      })

      it('records the times of the start and of every write to the raw log', async () => {
        const before = Date.now()
        const { held, exit } = await sh('echo first; read line; echo second')
        expect(held.startedAt).toBeGreaterThanOrEqual(before)
        const log = openRawLog(dir, held.id)
        await until(() => expect(log.sizeBytes()).toBe(6), patience)
        await held.writeLine('go on')
        await exit
        const after = Date.now()
        const times = [-1, 0, 5, 6, 12].map(offset => log.timeAt(offset))
        expect(times[0]).toBe(held.startedAt)
        expect(times[1]).toBe(times[2])
        expect(times).toEqual([...times].sort((a, b) => a - b))
        expect(times.at(-1)).toBeLessThanOrEqual(after)
        // A pty-host in another process reports growth after it has written.
        await until(() => expect(held.rawBytes).toBe(log.sizeBytes()), patience)
        log.close()
      })

      it('starts the command without ignored or blocked signals', async () => {
        const { exit } = await sh('grep -E "Sig(Ign|Blk)" /proc/self/status')
        expect((await exit).output.toString().match(/[0-9a-f]{16}/g)).toEqual(['0'.repeat(16), '0'.repeat(16)])
      })

      it('ends a command that does not exist with 127 and one that cannot be executed with 126', async () => {
        const missing = await start([join(dir, 'no such command')])
        expect(await missing.exit).toMatchObject({ status: 127, output: Buffer.alloc(0) })
        expect(readFileSync(file(missing.held, 'err'), 'utf8')).toContain('no such command')
        const plain = join(dir, 'plain.raw')
        writeFileSync(plain, 'text')
        expect((await (await start([plain])).exit).status).toBe(126)
      })

      it('rejects with SpawnFailed and leaves nothing when the directory is missing or a file', async () => {
        for (const cwd of [join(dir, 'missing'), '/etc/passwd']) {
          await expect(start(['/bin/true'], { cwd })).rejects.toThrow(SpawnFailed)
          await expect(start(['/bin/true'], { cwd })).rejects.toThrow(cwd)
        }
        expect(readdirSync(dir)).toEqual([])
        expect(subject.ptyHost.list()).toEqual([])
      })

      it('refuses an id that is in use, and does not affect its process', async () => {
        const { held, exit } = await sh('read line; echo "$line"')
        await expect(sh('echo other', { id: held.id })).rejects.toThrow(SpawnFailed)
        await held.writeLine('mine')
        expect((await exit).output.toString()).toBe('mine\n')
      })

      it('gives a process no descriptor of another, also after descriptors between theirs were closed', async () => {
        const early = await Promise.all(Array.from({ length: 8 }, () => sh('read line')))
        const first = await sh('read line')
        await Promise.all(early.map(({ held }) => held.release()))
        const second = await sh('read line')
        for (const { held } of [first, second]) {
          const fds = `/proc/${commandPid(held)}/fd`
          await until(() => expect(readdirSync(fds)).toEqual(['0', '1', '2']), patience)
          expect(openDescriptors(commandPid(held), dir).sort()).toEqual([file(held, 'in'), file(held, 'stderr')])
        }
      })

      it('reports the pid of the command beside that of its shim', async () => {
        const { held, printed } = await sh('echo $$; read line')
        await printed(`${held.commandPid}\n`)
        expect(held.commandPid).not.toBe(held.pid)
      })

      it('creates its files with access for the user only', async () => {
        const { held } = await sh('read line')
        for (const ending of ['raw', 'times', 'err', 'in', 'stderr', 'pid']) {
          expect(statSync(file(held, ending)).mode & 0o777).toBe(0o600)
        }
      })
    })

    describe('output', () => {
      it('is in the raw log byte for byte, followed by the exit record', async () => {
        const bytes = randomBytes(100_000)
        const path = join(dir, 'bytes.raw')
        writeFileSync(path, bytes)
        const { exit } = await sh(`cat ${path}; exit 3`)
        const { status, output, after } = await exit
        expect(status).toBe(3)
        expect(output.equals(bytes)).toBe(true)
        expect(after).toHaveLength(0)
      })

      it('keeps characters of several bytes and long lines whole', async () => {
        const line = 'zażółć 漢字 🙂 '.repeat(20_000)
        const { held, exit } = await start(['/bin/cat'])
        await held.writeLine(line)
        await held.endInput()
        expect((await exit).output.toString('utf8') === `${line}\n`).toBe(true)
      })

      it('can be read from any offset while it grows', async () => {
        const { held, printed } = await sh('echo one; read line; echo two; read line')
        await printed('one\n')
        const log = openRawLog(dir, held.id)
        expect(log.read(0, 100).toString()).toBe('one\n')
        expect(log.read(4, 100)).toHaveLength(0)
        await held.writeLine('')
        await printed('two\n')
        expect(log.read(4, 2).toString()).toBe('tw')
        expect(log.read(6, 100).toString()).toBe('o\n')
        log.close()
      })

      it('is not reported to a listener that has unsubscribed', async () => {
        const { held, printed } = await sh('read line; echo "$line"; read line')
        const listener = vi.fn<(rawBytes: number, ended: boolean) => void>()
        held.onGrow(listener)()
        await held.writeLine('hello')
        await printed('hello')
        expect(listener).not.toHaveBeenCalled()
      })
    })

    describe('stderr', () => {
      it('is kept up to its last maxStderrBytes in a flood, and the exit status is reported', async () => {
        const { held, exit } = await sh(
          'yes "a warning that comes again" | head -c 40000000 >&2; echo "the last line" >&2; echo out; exit 3',
        )
        expect(await exit).toMatchObject({ status: 3, output: Buffer.from('out\n') })
        const kept = readFileSync(file(held, 'err'), 'utf8')
        expect(kept).toHaveLength(limits.maxStderrBytes)
        expect(kept.endsWith('the last line\n')).toBe(true)
      })

      it('is kept while the command runs', async () => {
        const { held } = await sh('echo "a warning" >&2; read line')
        await until(() => expect(readFileSync(file(held, 'err'), 'utf8')).toBe('a warning\n'), patience)
      })

      it('of processes left behind is not added after the exit of the command, and delays nothing', async () => {
        const { held, exit } = await sh(
          'echo mine >&2; setsid sh -c "while :; do echo theirs >&2; done" & sleep 0.1; exit 4',
        )
        expect((await exit).status).toBe(4)
        const kept = readFileSync(file(held, 'err'), 'utf8')
        await held.release()
        await subject.ptyHost.clear(held.id, { spareDetached: false })
        expect(readFileSync(file(held, 'err'), 'utf8')).toBe(kept)
        // The first kept line is truncated if the others have written more than the pty-host keeps.
        expect(kept).toMatch(/^(mine|t?h?e?i?r?s?)\n/)
      })
    })

    describe('input', () => {
      it.each([300_000, 3_000_000])('delivers a line of %i bytes whole', async size => {
        const line = randomBytes(size / 2).toString('hex')
        const { held, exit } = await start(['/bin/cat'])
        await held.writeLine(line)
        await held.endInput()
        const { status, output } = await exit
        expect(status).toBe(0)
        expect(output.toString() === `${line}\n`).toBe(true)
      })

      it('delivers lines in the order of the calls, also while the process does not read', async () => {
        const lines = Array.from({ length: 20 }, (_, index) => `${index} ${'x'.repeat(index * 1_000)}`)
        const gate = join(dir, 'gate.raw')
        const { held, exit } = await sh(`while ! test -e ${gate}; do sleep 0.01; done; exec cat`)
        const written = lines.map(line => held.writeLine(line))
        const ended = held.endInput()
        writeFileSync(gate, '')
        await Promise.all([...written, ended])
        expect((await exit).output.toString()).toBe(`${lines.join('\n')}\n`)
      })

      it('ends once after the lines so far, and later lines are rejected', async () => {
        const { held, exit } = await start(['/bin/cat'])
        const written = held.writeLine('last')
        await Promise.all([held.endInput(), held.endInput()])
        await written
        await expect(held.writeLine('too late')).rejects.toThrow(InputClosed)
        expect((await exit).output.toString()).toBe('last\n')
        await held.endInput()
      })

      it('rejects with InputClosed if the process closes it, also in the middle of a line', async () => {
        const early = await sh('exec <&-; echo closed; while :; do sleep 1; done')
        await early.printed('closed')
        await expect(early.held.writeLine('hello')).rejects.toThrow(InputClosed)
        const late = await sh('head -c 1 >/dev/null; exec <&-; while :; do sleep 1; done')
        await expect(late.held.writeLine('x'.repeat(3_000_000))).rejects.toThrow(InputClosed)
      })

      it('rejects with InputClosed if the process has ended without reading', async () => {
        const { held, exit } = await sh('exit 0')
        expect((await exit).status).toBe(0)
        await expect(held.writeLine('hello')).rejects.toThrow(InputClosed)
        await held.endInput()
      })

      it('rejects a pending line when the process is released', async () => {
        const { held } = await sh('sleep 1000')
        const written = held.writeLine('x'.repeat(1_000_000)).catch((error: unknown) => error)
        const ended = held.endInput()
        await held.kill()
        const released = held.release()
        expect(await written).toBeInstanceOf(InputClosed)
        await Promise.all([ended, released])
      })
    })

    describe('signals', () => {
      it('INT reaches the command and the tool it waits for', async () => {
        const { held, exit, printed } = await sh(
          'trap "echo caught; exit 5" INT; sh -c "echo ready; exec sleep 1000"; echo not here',
        )
        await printed('ready')
        await held.signal('SIGINT')
        expect(await exit).toMatchObject({ status: 5, output: Buffer.from('ready\ncaught\n') })
      })

      it.each([
        ['SIGINT', 130],
        ['SIGTERM', 143],
      ] as const)('%s ends a command without a handler, with the exit status %i', async (signal, status) => {
        const { held, exit, printed } = await sh('echo ready; exec sleep 1000')
        await printed('ready')
        await held.signal(signal)
        expect(await exit).toMatchObject({ status, output: Buffer.from('ready\n') })
      })

      it('let a command with a slow handler finish, and its own status is reported', async () => {
        const { held, exit, printed } = await sh(
          'trap "" TERM; trap "echo caught; read line; echo cleaned up; exit 9" INT; echo ready; while :; do sleep 0.05; done',
        )
        await printed('ready')
        await held.signal('SIGINT')
        await printed('caught')
        await held.signal('SIGTERM')
        await held.writeLine('go on')
        expect(await exit).toMatchObject({ status: 9, output: Buffer.from('ready\ncaught\ncleaned up\n') })
      })

      it('KILL ends a command that ignores all other signals, and the exit record is still printed', async () => {
        const { held, exit, printed } = await sh('trap "" INT TERM HUP; echo ready; while :; do sleep 0.05; done')
        await printed('ready')
        await held.signal('SIGINT')
        await held.signal('SIGTERM')
        expect(processesOf(held.id)).toContain(commandPid(held))
        await held.kill()
        expect(await exit).toMatchObject({ status: 137, output: Buffer.from('ready\n'), after: Buffer.alloc(0) })
        expect(processesOf(held.id)).toEqual([held.pid])
      })

      it('KILL also ends detached processes of the command, with or without its environment', async () => {
        // A tool without its environment is recognised only by its command line.
        const seconds = randomInt(1_000_000, 2_000_000)
        const { held, exit, printed } = await sh(
          `setsid sleep ${seconds} & env -i setsid sleep ${seconds} & (setsid sh -c "sleep ${seconds}; :" &)
          echo ready; sleep ${seconds}`,
        )
        await printed('ready')
        const sleeping = () => commandLines().filter(line => line === `sleep\0${seconds}\0`)
        await until(() => expect(sleeping()).toHaveLength(4), patience)
        await held.kill()
        expect((await exit).status).toBe(137)
        expect(sleeping()).toEqual([])
        expect(processesOf(held.id)).toEqual([held.pid])
      })

      it('KILL spares other processes, also one whose id has the same prefix', async () => {
        const other = await sh('echo ready; read line; echo "$line"', { id: 'p_10' })
        const { held } = await sh('sleep 1000', { id: 'p_1' })
        await held.kill()
        await other.held.writeLine('still here')
        expect(await other.exit).toMatchObject({ status: 0, output: Buffer.from('ready\nstill here\n') })
      })

      it('are ignored for a process that is gone', async () => {
        const { held, exit } = await sh('exit 0')
        await exit
        for (const release of [() => Promise.resolve(), () => held.release()]) {
          await release()
          await expect(held.signal('SIGINT')).resolves.toBeUndefined()
          await expect(held.signal('SIGTERM')).resolves.toBeUndefined()
          await expect(held.kill()).resolves.toBeUndefined()
        }
      })
    })

    describe('release', () => {
      it('leaves no process, no descriptor and no FIFO, and keeps the logs', async () => {
        const { held, exit, gone } = await sh('echo hello')
        await exit
        expect(openDescriptors(subject.pid, dir).length).toBeGreaterThan(0)
        await Promise.all([held.release(), held.release()])
        await gone
        expect(processesOf(held.id)).toEqual([])
        expect(existsSync(`/proc/${held.pid}`)).toBe(false)
        expect(openDescriptors(subject.pid, dir)).toEqual([])
        expect(readdirSync(dir).sort()).toEqual(['err', 'raw', 'times'].map(ending => `${held.id}.${ending}`))
        expect(subject.ptyHost.list()).toEqual([])
      })

      it('neither waits for detached processes nor ends them, and endLeft ends them by identity', async () => {
        const { held, exit, printed } = await sh('setsid sh -c "echo left; exec sleep 1000" & read line; exit 4')
        await printed('left')
        await held.writeLine('go on')
        expect((await exit).status).toBe(4)
        await held.release()
        expect(openDescriptors(subject.pid, dir)).toEqual([])
        expect(processesOf(held.id)).toHaveLength(1)
        const [left] = await subject.ptyHost.clear(held.id, { spareDetached: true })
        expect(left).toMatchObject({ pid: processesOf(held.id)[0], command: 'sleep 1000' })
        // A process with the same pid and another start time is another process.
        await subject.ptyHost.endLeft([], [{ ...left!, identity: 'another' }])
        expect(processesOf(held.id)).toEqual([left!.pid])
        await subject.ptyHost.endLeft([], [left!])
        expect(processesOf(held.id)).toEqual([])
      })

      it('ends a command that still runs', async () => {
        const { held, printed, gone } = await sh('trap "" HUP; echo ready; while :; do sleep 0.05; done')
        await printed('ready')
        await held.release()
        await gone
        await until(() => expect(processesOf(held.id)).toEqual([]), patience)
        await subject.ptyHost.clear(held.id, { spareDetached: false })
      })

      it('works after the shim was killed from outside', async () => {
        const { held, printed, gone, text } = await sh('trap "" HUP; echo ready; while :; do sleep 0.05; done')
        await printed('ready')
        process.kill(held.pid, 'SIGKILL')
        await gone
        expect(text()).toBe('ready\n')
        await expect(held.writeLine('hello')).rejects.toThrow(InputClosed)
        const late = vi.fn<(rawBytes: number, ended: boolean) => void>()
        held.onGrow(late)
        await until(() => expect(late).toHaveBeenCalledWith(6, true), patience)
        await held.release()
        await until(() => expect(processesOf(held.id)).toEqual([]), patience)
        await subject.ptyHost.clear(held.id, { spareDetached: false })
      })
    })

    describe('closing the pty-host', () => {
      it('kills and releases all processes, also one that is being started', async () => {
        const running = await sh('trap "" INT TERM HUP; setsid sleep 1000 & echo ready; while :; do sleep 0.05; done')
        await running.printed('ready')
        await sh('exit 0')
        expect(subject.ptyHost.list()).toHaveLength(2)
        const starting = sh('sleep 1000').catch((error: unknown) => error)
        await Promise.all([subject.ptyHost.close(), subject.ptyHost.close()])
        await starting
        expect(openDescriptors(subject.pid, dir)).toEqual([])
        await expect(sh('exit 0')).rejects.toThrow(SpawnFailed)
      })
    })
  })
}

function commandLines(): string[] {
  return readdirSync('/proc').flatMap(name => {
    try {
      return /^\d+$/.test(name) ? [readFileSync(`/proc/${name}/cmdline`, 'latin1')] : []
    } catch {
      return []
    }
  })
}
