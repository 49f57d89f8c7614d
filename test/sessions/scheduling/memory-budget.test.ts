import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { availableMemory } from '../../../daemon/os/available-memory.ts'
import { createMemoryBudget, growthMs, processBytes } from '../../../daemon/sessions/scheduling/memory-budget.ts'
import { tempDir } from '../../support/temp-dir.ts'

const mebibyte = 1024 ** 2

describe('room for one more process', () => {
  const setUp = (minFreeBytes: number, available: number | undefined) => {
    let time = 1_000_000
    const room = createMemoryBudget({ minFreeBytes, availableBytes: () => available, now: () => time })
    return { room, pass: (ms: number) => void (time += ms) }
  }

  it('exists if at least minFreeBytes are available', () => {
    expect(setUp(512, 512).room.has()).toBe(true)
    expect(setUp(512, 511).room.has()).toBe(false)
  })

  it('always exists if minFreeBytes is 0 or the available memory is unknown', () => {
    expect(setUp(0, 0).room.has()).toBe(true)
    expect(setUp(512, undefined).room.has()).toBe(true)
  })

  it('counts a process that has not grown yet at its full size', () => {
    const { room, pass } = setUp(512, 512 + 2 * processBytes)
    for (const enough of [true, true, true, false]) {
      expect(room.has()).toBe(enough)
      room.reserve()
    }
    pass(growthMs)
    expect(room.has()).toBe(true)
  })
})

describe('available memory', () => {
  const machine = (files: Record<string, string>) => {
    const root = tempDir()
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    return availableMemory(root)
  }
  const meminfo = { 'proc/meminfo': 'MemTotal:  9999999 kB\nMemFree:  5 kB\nMemAvailable:    4096000 kB\n' }

  it('equals MemAvailable without a limiting control group', () => {
    expect(machine(meminfo)).toBe(4_096_000 * 1024)
    const unlimited = {
      'proc/self/cgroup': '0::/a\n',
      'sys/fs/cgroup/a/memory.max': 'max\n',
      'sys/fs/cgroup/a/memory.current': '5',
    }
    expect(machine({ ...meminfo, ...unlimited })).toBe(4_096_000 * 1024)
  })

  it('equals the rest of the tightest control group, not counting inactive cache as used', () => {
    const groups = {
      'proc/self/cgroup': '0::/outer/inner\n',
      'sys/fs/cgroup/outer/memory.max': `${300 * mebibyte}\n`,
      'sys/fs/cgroup/outer/memory.current': `${280 * mebibyte}\n`,
      'sys/fs/cgroup/outer/memory.stat': `anon 1\ninactive_file ${100 * mebibyte}\nactive_file 7\n`,
      'sys/fs/cgroup/outer/inner/memory.max': `${900 * mebibyte}\n`,
      'sys/fs/cgroup/outer/inner/memory.current': '0\n',
    }
    expect(machine({ ...meminfo, ...groups })).toBe(120 * mebibyte)
  })

  it('supports control groups version 1', () => {
    const groups = {
      'proc/self/cgroup': '5:cpu,cpuacct:/\n4:memory:/job\n',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      'sys/fs/cgroup/memory/memory.usage_in_bytes': '7\n',
      'sys/fs/cgroup/memory/job/memory.limit_in_bytes': `${50 * mebibyte}\n`,
      'sys/fs/cgroup/memory/job/memory.usage_in_bytes': `${40 * mebibyte}\n`,
      'sys/fs/cgroup/memory/job/memory.stat': `inactive_file 1\ntotal_inactive_file ${mebibyte}\n`,
    }
    expect(machine({ ...meminfo, ...groups })).toBe(11 * mebibyte)
  })

  it('is undefined if the system reports nothing', () => {
    expect(machine({})).toBeUndefined()
  })
})
