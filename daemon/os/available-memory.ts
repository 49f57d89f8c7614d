import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Returns how many bytes of memory are available: the minimum of the machine's and those of each control group of this
 * process that has a limit, such as a container's. Page cache counts as available. Returns undefined where the system
 * does not report it, as on macOS, whose free memory excludes reclaimable memory.
 */
export function availableMemory(root = '/'): number | undefined {
  const machine = machineBytes(root)
  if (machine === undefined) return undefined
  return Math.min(machine, ...groups(root).flatMap(group => roomIn(group) ?? []))
}

function machineBytes(root: string): number | undefined {
  const kibibytes = /^MemAvailable:\s+(\d+) kB$/m.exec(read(join(root, 'proc/meminfo')) ?? '')?.[1]
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
}

/** A control group with the names of its files, which differ between cgroup versions 1 and 2. */
interface Group {
  directory: string
  limit: string
  usage: string
  cache: string
}

const version2 = { limit: 'memory.max', usage: 'memory.current', cache: 'inactive_file' }
const version1 = { limit: 'memory.limit_in_bytes', usage: 'memory.usage_in_bytes', cache: 'total_inactive_file' }

/** Returns the process's own group and those above it. In a container any of them may be invisible. */
function groups(root: string): Group[] {
  const lines = (read(join(root, 'proc/self/cgroup')) ?? '').split('\n').map(line => line.split(':'))
  return lines.flatMap(([, controllers, ...path]) => {
    if (controllers === '') return upwards(path.join(':')).map(at => inHierarchy(root, 'sys/fs/cgroup', at, version2))
    if (!controllers?.split(',').includes('memory')) return []
    return upwards(path.join(':')).map(at => inHierarchy(root, 'sys/fs/cgroup/memory', at, version1))
  })
}

const inHierarchy = (root: string, mount: string, path: string, names: Omit<Group, 'directory'>): Group => ({
  directory: join(root, mount, path),
  ...names,
})

function upwards(path: string): string[] {
  const above = dirname(path)
  return above === path ? [path] : [path, ...upwards(above)]
}

/** Returns the bytes that are left below the group's limit; undefined if it has none. */
function roomIn({ directory, limit, usage, cache }: Group): number | undefined {
  const [most, used] = [limit, usage].map(name => Number(read(join(directory, name)) ?? NaN))
  if (!Number.isFinite(most) || !Number.isFinite(used)) return undefined
  const cached = new RegExp(`^${cache} (\\d+)$`, 'm').exec(read(join(directory, 'memory.stat')) ?? '')?.[1]
  return Math.max(0, most! - used! + Number(cached ?? 0))
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
