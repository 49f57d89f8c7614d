// Tries to start a process with a given number of free descriptors, from zero upwards, and prints the result of each
// try.
import { closeSync, openSync, readdirSync } from 'node:fs'
import { SpawnFailed } from '../../../daemon/pty-host/pty-host.ts'
import { createInProcessPtyHost } from '../../../daemon/pty-host/in-process.ts'

const dir = process.argv[2]!
const ptyHost = createInProcessPtyHost({ dir })
const openCount = () => readdirSync('/proc/self/fd').length

async function attempt(free: number): Promise<string> {
  const before = openCount()
  const taken: number[] = []
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'))
  } catch {
    for (const fd of taken.splice(0, free)) closeSync(fd)
  }
  const id = `p_${free}`
  const result = await ptyHost
    .start({ id, nonce: 'N0', command: ['/bin/true'], cwd: dir, env: { PATH: process.env['PATH']! } })
    .catch((error: unknown) => error)
  for (const fd of taken) closeSync(fd)
  if (result instanceof Error) {
    if (!(result instanceof SpawnFailed)) return `${result.name}: ${result.message}`
  } else {
    await (result as Awaited<ReturnType<typeof ptyHost.start>>).release()
  }
  const files = readdirSync(dir).filter(name => name.startsWith(`${id}.`))
  const expected = result instanceof Error ? 0 : 3
  if (files.length !== expected) return `left ${files.join(' ')}`
  if (openCount() !== before) return `left ${openCount() - before} descriptors`
  return result instanceof Error ? 'SpawnFailed' : 'started'
}

const results: string[] = []
for (let free = 0; free <= 16; free++) results.push(await attempt(free))
process.stdout.write(JSON.stringify(results))
