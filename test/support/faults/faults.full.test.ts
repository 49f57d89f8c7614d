import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { tempDir } from '../temp-dir.ts'
import { canInjectFaults, createFaults, type FaultRule } from './faults.ts'

/** Runs `program` in a process whose file operations fail as `rules` say. Returns the JSON that it prints. */
function run(directory: string, rules: FaultRule[], program: string) {
  const faults = createFaults(directory)
  faults.set(...rules)
  const text = `const fs = require('node:fs'), path = ${JSON.stringify(join(directory, 'file'))}
    const codeOf = work => { try { work(); return 'fine' } catch (error) { return error.code } }
    ${program}`
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', text], { env: { ...process.env, ...faults.env } })
  expect(stderr.toString()).toBe('')
  return { printed: JSON.parse(stdout.toString()) as unknown, synced: faults.synced() }
}

describe.skipIf(!canInjectFaults)('injected faults (skipped where there is no C compiler)', () => {
  it('fail the writes and syncs of the matching files, and of no others', () => {
    const directory = tempDir()
    mkdirSync(join(directory, 'below'))
    const program = `const fd = fs.openSync(path, 'w'), other = fs.openSync(path + '-other', 'w')
      console.log(JSON.stringify([
        codeOf(() => fs.writeSync(fd, 'first')), codeOf(() => fs.writeSync(fd, 'second')),
        codeOf(() => fs.writeSync(fd, 'third', 10)), codeOf(() => fs.writevSync(fd, [Buffer.from('x')])),
        codeOf(() => fs.writevSync(fd, [Buffer.from('x')], 3)), codeOf(() => fs.writeSync(other, 'other')),
        codeOf(() => fs.fsyncSync(fd)), codeOf(() => fs.fdatasyncSync(fd)), codeOf(() => fs.fsyncSync(other)),
      ]))`
    const { printed } = run(
      directory,
      [
        { operation: 'write', path: '*/file', fault: 'ENOSPC', after: 1 },
        { operation: 'sync', path: '*/file', fault: 'EIO' },
      ],
      program,
    )
    expect(printed).toEqual(['fine', 'ENOSPC', 'ENOSPC', 'ENOSPC', 'ENOSPC', 'fine', 'EIO', 'EIO', 'fine'])
    expect(readFileSync(join(directory, 'file'), 'utf8')).toBe('first')
  })

  it('do not affect files outside their directory', () => {
    const directory = tempDir()
    const elsewhere = `const outside = ${JSON.stringify(join(tempDir(), 'file'))}
      console.log(JSON.stringify([codeOf(() => fs.writeFileSync(outside, 'x')), codeOf(() => fs.writeFileSync(path, 'x'))]))`
    const { printed } = run(directory, [{ operation: 'write', path: '*', fault: 'EIO' }], elsewhere)
    expect(printed).toEqual(['fine', 'EIO'])
  })

  it('keep the content of the last sync of a file, also of one that is renamed', () => {
    const directory = tempDir()
    const { synced } = run(
      directory,
      [],
      `const fd = fs.openSync(path, 'w')
      fs.writeSync(fd, 'synced'); fs.fdatasyncSync(fd); fs.writeSync(fd, ' and not')
      fs.writeFileSync(path + '-draft', 'whole', { flush: true }); fs.renameSync(path + '-draft', path + '-info')
      fs.writeFileSync(path + '-never', 'x')
      console.log('0')`,
    )
    const kept = [...synced].map(([path, copy]) => [path, readFileSync(copy, 'utf8')])
    expect(Object.fromEntries(kept)).toEqual({
      [join(directory, 'file')]: 'synced',
      [join(directory, 'file-info')]: 'whole',
    })
    expect(readdirSync(directory)).toContain('file-never')
  })

  it('stall a call until the rules change', async () => {
    const directory = tempDir()
    const faults = createFaults(directory)
    faults.set({ operation: 'write', path: '*/file', fault: 'stall' })
    const program = `process.stdout.write('ready'); require('node:fs').writeFileSync(${JSON.stringify(join(directory, 'file'))}, 'x')`
    const child = spawn(process.execPath, ['-e', program], { env: { ...process.env, ...faults.env } })
    const ended = new Promise(resolve => child.once('exit', resolve))
    const first = await new Promise<Buffer>(resolve => child.stdout.once('data', resolve))
    expect(first.toString()).toBe('ready')
    expect(child.exitCode).toBeNull()
    faults.set()
    expect(await ended).toBe(0)
    expect(readFileSync(join(directory, 'file'), 'utf8')).toBe('x')
  })
})
