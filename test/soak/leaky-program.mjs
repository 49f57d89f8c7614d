// Does some work for each line that it reads, answers with a line, and leaks a little of what its argument names.
import { closeSync, openSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { Worker } from 'node:worker_threads'
import { spawn } from 'node-pty'

const kept = []
const leak = {
  nothing: () => closeSync(openSync('/dev/null')),
  descriptors: () => kept.push(openSync('/dev/null')),
  threads: () => kept.push(new Worker('require("worker_threads").parentPort.on("message", () => {})', { eval: true })),
  ptys: () => kept.push(spawn('/bin/sleep', ['1000'], {})),
  rssMiB: () => kept.push(Buffer.alloc(3 * 1024 * 1024, 1)),
}[process.argv[2]]

for await (const _line of createInterface({ input: process.stdin })) {
  const garbage = Buffer.alloc(64 * 1024, 1)
  leak()
  process.stdout.write(`${garbage.length}\n`)
}
process.exit()
