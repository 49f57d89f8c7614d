import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PtyHost } from '../../daemon/pty-host/pty-host.ts'
import { createInProcessPtyHost } from '../../daemon/pty-host/in-process.ts'
import { openPty } from '../../daemon/pty-host/pty.ts'
import { follow } from './following.ts'

/** Sizes around the buffer sizes of PTYs, pipes and readers. */
export const exitSizes = [1, 100, 4094, 4095, 4096, 4097, 4098, 5000, 20_000, 65_535, 65_536, 65_537, 1_000_000]

/** A child that prints `size` known bytes in one write and exits at once, and the comparison with its output. */
export interface Printer {
  command: (size: number) => [string, ...string[]]
  /** Returns how many of the bytes are missing or wrong. */
  lost: (output: Buffer, size: number) => number
}

export interface PrintedBytes {
  dir: string
  ptyHost: PtyHost
  printer: Printer
  close(): Promise<void>
}

type OpenPtyHost = (dir: string) => Promise<{ ptyHost: PtyHost; dispose?(): Promise<void> }>

export const ownPtyHost: OpenPtyHost = async dir => ({ ptyHost: createInProcessPtyHost({ dir }) })

export async function openPrintedBytes(openPtyHost: OpenPtyHost = ownPtyHost): Promise<PrintedBytes> {
  const dir = mkdtempSync(join(tmpdir(), 'printed-bytes-'))
  const { ptyHost, dispose } = await openPtyHost(dir)
  // Without newlines, so that a terminal passes it on unchanged in any mode. Random, so that no two pieces are equal.
  const pattern = Buffer.from(randomBytes(750_000).toString('base64'))
  const path = join(dir, 'pattern')
  writeFileSync(path, pattern)
  return {
    dir,
    ptyHost,
    printer: {
      command: size => ['/bin/dd', `if=${path}`, `bs=${size}`, 'count=1', 'status=none'],
      lost: (output, size) => {
        const expected = pattern.subarray(0, size)
        if (output.equals(expected)) return 0
        let same = 0
        while (same < output.length && output[same] === expected[same]) same++
        return Math.max(size - same, 1)
      },
    },
    async close() {
      await ptyHost.close()
      await dispose?.()
      rmSync(dir, { recursive: true })
    },
  }
}

/**
 * Runs the child `runs` times through the pty-host, `atOnce` at a time. Calls `block` when the children of a round have
 * started. Returns the number of bytes missing before the exit records.
 */
export async function bytesLostByPtyHost(
  { dir, ptyHost, printer }: PrintedBytes,
  { size, runs, atOnce, block }: { size: number; runs: number; atOnce: number; block?: () => unknown },
): Promise<number> {
  let lost = 0
  const one = async (id: string) => {
    const nonce = randomBytes(8).toString('hex')
    const held = await ptyHost.start({ id, nonce, command: printer.command(size), cwd: dir, env })
    return async () => {
      const { status, output } = await follow(held, dir, nonce).exit
      lost += printer.lost(output, size)
      await held.release()
      for (const ending of ['raw', 'times', 'err']) rmSync(join(dir, `${id}.${ending}`))
      if (status !== 0) throw new Error(`the child failed with ${status}`)
    }
  }
  for (let done = 0; done < runs; done += atOnce) {
    const ids = Array.from({ length: Math.min(atOnce, runs - done) }, () => `p_${randomBytes(6).toString('hex')}`)
    if (block === undefined) {
      await Promise.all(ids.map(async id => (await one(id))()))
    } else {
      const finish = await Promise.all(ids.map(one))
      // The children print and exit meanwhile.
      await block()
      await Promise.all(finish.map(end => end()))
    }
  }
  return lost
}

/** Runs the same child in the same terminal without the shim. The terminal itself reports the end. */
export async function bytesLostWithoutShim(
  { dir, printer }: PrintedBytes,
  { size, runs, atOnce }: { size: number; runs: number; atOnce: number },
): Promise<number> {
  let lost = 0
  const one = () =>
    new Promise<void>(resolve => {
      const chunks: Buffer[] = []
      const settle = () => {
        lost += printer.lost(Buffer.concat(chunks), size)
        resolve()
      }
      openPty({
        command: printer.command(size),
        cwd: dir,
        env,
        onData: chunk => chunks.push(chunk),
        // Longer than any data can still be on its way.
        onEnd: () => setTimeout(settle, 50),
      })
    })
  for (let done = 0; done < runs; done += atOnce) {
    await Promise.all(Array.from({ length: Math.min(atOnce, runs - done) }, one))
  }
  return lost
}

export function blockEventLoop(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

const env = { PATH: process.env['PATH']! }
