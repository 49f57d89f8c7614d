// Takes a directory on a small disk that is nearly full. Holds a process that prints more than fits, frees space once
// the process has been paused, and prints the results.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInProcessPtyHost } from '../../../daemon/pty-host/in-process.ts'
import { openRawLog } from '../../../daemon/pty-host/raw-log.ts'

const dir = process.argv[2]!
const ballast = join(dir, 'ballast')
writeFileSync(ballast, Buffer.alloc(3_000_000))

const messages: string[] = []
let onMessage = () => {}
const note = (message: string, details?: object) => {
  const { error } = (details ?? {}) as { error?: NodeJS.ErrnoException }
  messages.push(error?.code ? `${message} (${error.code})` : message)
  onMessage()
}
const ptyHost = createInProcessPtyHost({ dir, log: { debug() {}, info: note, warn: note, error: note } })
const stalled = new Promise<void>(resolve => (onMessage = resolve))
const held = await ptyHost.start({
  id: 'p',
  nonce: 'N0',
  command: ['/usr/bin/seq', '1', '300000'],
  cwd: '/',
  env: { PATH: process.env['PATH']! },
})
const log = openRawLog(dir, 'p')
const done = new Promise<void>(resolve => {
  held.onGrow(
    bytes =>
      log
        .read(bytes - 10, 10)
        .toString()
        .endsWith('\x1eN0 0\n') && resolve(),
  )
})
await stalled
const stalledAt = held.rawBytes
// No byte moves over several retries: the terminal is not read, and the command waits.
await new Promise(resolve => setTimeout(resolve, 600))
const movedBytes = held.rawBytes - stalledAt
rmSync(ballast)
await done
const output = log.read(0, held.rawBytes).toString()
const expected = Array.from({ length: 300_000 }, (_, index) => `${index + 1}\n`).join('')
const times = [stalledAt - 1, held.rawBytes - 1].map(offset => log.timeAt(offset))
await ptyHost.close()
log.close()
process.stdout.write(
  JSON.stringify({
    messages,
    movedBytes,
    isWhole: output === `${expected}\x1eN0 0\n`,
    heldUpMs: times[1]! - times[0]!,
  }),
)
