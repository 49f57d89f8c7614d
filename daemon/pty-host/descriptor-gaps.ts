import { closeSync, openSync, readdirSync } from 'node:fs'

/**
 * Runs `spawn` while no descriptor number below the highest one is free. The Linux binary of node-pty marks what a
 * child must not inherit by counting up from 3 until a number is not open (it was built without `close_range`), and its
 * masters are not close-on-exec: behind a gap, a process would get the terminals of the others. A daemon that has
 * closed a connection has a gap.
 */
export function withoutDescriptorGaps<T>(spawn: () => T): T {
  if (process.platform !== 'linux') return spawn()
  const highest = Math.max(...readdirSync('/proc/self/fd').map(Number))
  const fillers: number[] = []
  try {
    fill(fillers, highest)
    return spawn()
  } finally {
    for (const fd of fillers) closeSync(fd)
  }
}

// What a terminal takes, and one to spare.
const spawnDescriptors = 3

function fill(fillers: number[], highest: number): void {
  try {
    // The kernel gives the lowest free number: the first behind the highest says that no gap is left.
    do fillers.push(openSync('/dev/null', 'r'))
    while (fillers.at(-1)! < highest)
  } catch {
    // No number is left at all. Better a gap right below the limit than no process.
    for (const fd of fillers.splice(-spawnDescriptors)) closeSync(fd)
  }
}
