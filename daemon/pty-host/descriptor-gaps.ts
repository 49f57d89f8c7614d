import { closeSync, openSync, readdirSync } from 'node:fs'

/**
 * Runs `spawn` while no descriptor number below the highest one is free. The Linux binary of node-pty was built without
 * `close_range`: it marks the descriptors that a child must not inherit by counting up from 3 to the first number that
 * is not open. Its PTY masters are not close-on-exec, so a process would inherit the terminals above a gap. A closed
 * connection leaves such a gap.
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

// The number of descriptors that opening a terminal takes, plus one.
const spawnDescriptors = 3

function fill(fillers: number[], highest: number): void {
  try {
    // The kernel gives the lowest free number. A number above the highest one means that no gap is left.
    do fillers.push(openSync('/dev/null', 'r'))
    while (fillers.at(-1)! < highest)
  } catch {
    // The descriptor limit is reached. A gap right below the limit is better than no process.
    for (const fd of fillers.splice(-spawnDescriptors)) closeSync(fd)
  }
}
