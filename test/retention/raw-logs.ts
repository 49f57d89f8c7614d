import { writeFileSync } from 'node:fs'
import { claude } from '../../daemon/agents/claude/agent.ts'
import { processFiles } from '../../daemon/pty-host/process-files.ts'
import { createRawLog } from '../../daemon/pty-host/raw-log-writer.ts'
import type { Store, StoredProcess } from '../../daemon/store/store.ts'
import { createFramesLog } from '../../daemon/topics/logs/frames-log.ts'
import { processOf } from '../support/records.ts'

/** The agents whose output the raw logs hold. */
export const agents = new Map([['claude', claude]])

/** Returns lines of many sizes, some of them not JSON. The same `count` and `seed` give the same lines. */
export function printed(count: number, seed = 1): Buffer {
  let state = seed
  const next = (below: number) => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
  const lines = Array.from({ length: count }, (_, index) => {
    if (next(50) === 0) return `not JSON ${index}`
    const text = Array.from({ length: next(20) === 0 ? 400 : 1 + next(12) }, () => `wörd${next(10_000)}`).join(' ')
    return JSON.stringify({ type: 'assistant', index, text })
  })
  return Buffer.from(lines.map(line => `${line}\n`).join(''))
}

/** Stores an ended process of a session, with a raw log written in chunks as by a pty-host. */
export function endedProcess(
  store: Store,
  dir: string,
  session: string,
  id: string,
  bytes: Buffer,
  fields: Partial<StoredProcess> = {},
): StoredProcess {
  const files = processFiles(dir, id)
  const writer = createRawLog(files, 1_000, { onStalled() {}, onRecovered() {} })
  for (let start = 0, turn = 0; start < bytes.length; turn++) {
    const length = 1 + ((turn * 997) % 8_192)
    writer.append(bytes.subarray(start, start + length))
    start += length
  }
  writer.end()
  writer.close()
  writeFileSync(files.err, 'a warning\n')
  const process = processOf(session, id, { endedAt: 2_000, offset: bytes.length, ...fields })
  store.processes.save(process)
  return process
}

/** Opens the frames topic of a session as a daemon that has just started does. */
export const framesOf = (store: Store, processesDir: string, session: string) =>
  createFramesLog({
    epoch: store.epoch,
    agent: claude,
    processes: () => store.processes.ofSession(session),
    processesDir,
    maxEventBytes: 256 * 1024,
  })

/** Returns all kept events of a log, read in pages of about `maxBytes`. */
export function readAll(log: ReturnType<typeof framesOf>, maxBytes = 64 * 1024, after = log.first() - 1): string[] {
  const texts: string[] = []
  while (after + texts.length < log.head()) texts.push(...log.read(after + texts.length, Infinity, maxBytes))
  return texts
}
