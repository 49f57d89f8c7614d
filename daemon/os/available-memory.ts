import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Bytes that may still be used before something has to go: of the machine, and of each control group around this process
 * that has a limit (a container's). Page cache counts as available. Undefined where that is not told, as on macOS, where
 * free memory is what nobody has found a use for yet.
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

/** A control group with the names of its files: they differ between the two versions. */
interface Group {
  directory: string
  limit: string
  usage: string
  cache: string
}

const version2 = { limit: 'memory.max', usage: 'memory.current', cache: 'inactive_file' }
const version1 = { limit: 'memory.limit_in_bytes', usage: 'memory.usage_in_bytes', cache: 'total_inactive_file' }

/** From its own group upwards. In a container the upper ones, or the named one itself, may not be there to be seen. */
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

/** What its limit leaves; undefined where it has none. */
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
