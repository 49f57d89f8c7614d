import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createInProcessHolder } from '../../daemon/holder/in-process.ts'
import { tempDir } from '../support/temp-dir.ts'
import { describeHolder } from './conformance.ts'

describeHolder('a holder in this process', async dir => ({ holder: createInProcessHolder({ dir }), pid: process.pid }))

describe('a holder that starts', () => {
  it('removes the files of processes of a holder that was killed, and no options that await their process', async () => {
    const dir = tempDir()
    for (const name of ['p_old.in', 'p_old.pid', 'p_old.raw']) writeFileSync(join(dir, name), '')
    for (const name of ['p_old.options', 'p_next.options']) mkdirSync(join(dir, name))
    const holder = createInProcessHolder({ dir })
    // It waits for the removal.
    await holder.close()
    expect(readdirSync(dir)).toEqual(['p_next.options', 'p_old.raw'])
  })
})
