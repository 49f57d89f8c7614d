import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { HeldProcess } from '../../daemon/pty-host/pty-host.ts'
import { openRawLog } from '../../daemon/pty-host/raw-log.ts'

/**
 * Reads the output of a process as the daemon does: from its raw log, each time it has grown, up to the exit record.
 */
export interface Following {
  /** Returns the output so far. */
  text: () => string
  /** Resolves when the text has been printed. Rejects when the process has ended without printing it. */
  printed: (text: string) => Promise<void>
  /** Resolves when the exit record has been read. Rejects when the terminal is gone without one. */
  readonly exit: Promise<Exit>
  /** Resolves when the pty-host has reported that the terminal is gone. */
  readonly gone: Promise<void>
}

export interface Exit {
  status: number
  /** All output before the exit record. */
  output: Buffer
  /** All output after the exit record: empty, unless a process that the command left behind continues to print. */
  after: Buffer
}

export function follow(held: HeldProcess, dir: string, nonce: string): Following {
  const rawLog = openRawLog(dir, held.id)
  const chunks: Buffer[] = []
  let offset = 0
  const waiting = new Set<() => void>()
  let resolveExit: (exit: Exit) => void
  let rejectExit: (error: Error) => void
  let resolveGone: () => void
  let ended = false
  const exit = new Promise<Exit>((resolve, reject) => ([resolveExit, rejectExit] = [resolve, reject]))
  exit.catch(() => {})
  const gone = new Promise<void>(resolve => (resolveGone = resolve))
  const mark = Buffer.from(`\x1e${nonce} `)

  const readOn = (_bytes: number, isEnd: boolean) => {
    for (let chunk = readChunk(); chunk.length > 0; chunk = readChunk()) chunks.push(chunk)
    // The older chunks have been searched already.
    if (Buffer.concat(chunks.slice(-2)).includes(mark) || isEnd) {
      const record = parse(Buffer.concat(chunks), mark)
      if (record) resolveExit(record)
    }
    if (isEnd && !ended) {
      ended = true
      rawLog.close()
      rejectExit(new Error(`ended without an exit record after ${offset} bytes`))
      resolveGone()
    }
    for (const check of waiting) check()
  }
  const readChunk = () => {
    if (ended) return Buffer.alloc(0)
    const chunk = rawLog.read(offset, 256 * 1024)
    offset += chunk.length
    return chunk
  }
  held.onGrow(readOn)
  readOn(0, false)

  const text = () => Buffer.concat(chunks).toString('utf8')
  return {
    text,
    exit,
    gone,
    printed: wanted =>
      new Promise((resolve, reject) => {
        const check = () => {
          const isThere = text().includes(wanted)
          if (!isThere && !ended) return
          waiting.delete(check)
          if (isThere) resolve()
          else reject(new Error(`ended without printing ${wanted}: ${text()}`))
        }
        waiting.add(check)
        check()
      }),
  }
}

function parse(bytes: Buffer, mark: Buffer): Exit | undefined {
  const at = bytes.indexOf(mark)
  const end = bytes.indexOf(0x0a, at)
  if (at < 0 || end < 0) return undefined
  const status = Number(bytes.subarray(at + mark.length, end).toString())
  return { status, output: bytes.subarray(0, at), after: bytes.subarray(end + 1) }
}

/** Returns the pids of all live processes that a held process has started, found by their environment. */
export function processesOf(id: string): number[] {
  return readdirSync('/proc').flatMap(name => {
    if (!/^\d+$/.test(name)) return []
    try {
      const environ = readFileSync(`/proc/${name}/environ`, 'latin1')
      return environ.split('\0').includes(`MUXD_PROCESS=${id}`) ? [Number(name)] : []
    } catch {
      return []
    }
  })
}

/** Returns the targets of a process's open descriptors that are terminal masters or files in `dir`. */
export function openDescriptors(pid: number, dir: string): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap(fd => {
    try {
      const target = readlinkSync(`/proc/${pid}/fd/${fd}`)
      return target.includes('ptmx') || target.startsWith(dir) ? [target] : []
    } catch {
      return []
    }
  })
}
