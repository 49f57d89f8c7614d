import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openStore } from '../../daemon/store/open.ts'
import { openSqlite } from '../../daemon/store/sqlite/sqlite.ts'
import { createRandom } from '../support/random.ts'
import { createTempDir, tempDir } from '../support/temp-dir.ts'
import { testSeed } from '../support/test-seed.ts'
import { bundleProgram, startProgram } from './child-program.ts'

const bundles = createTempDir()
let writer: string
beforeAll(async () => {
  writer = await bundleProgram(new URL('./crash-writer.ts', import.meta.url), bundles.path)
})
afterAll(() => bundles.remove())

test('a writer killed twenty times leaves no gap, a matching checkpoint and every published event', async () => {
  const file = join(tempDir(), 'muxd.db')
  const random = createRandom(testSeed())
  let written = 0
  for (let round = 0; round < 20; round++) {
    const { child, output, ended } = startProgram([process.execPath, writer, file, String(random.whole(0, 2 ** 31))])
    await new Promise(resolve => child.stdout!.once('data', resolve))
    await new Promise(resolve => setTimeout(resolve, random.next() * 60))
    child.kill('SIGKILL')
    expect(await ended).toBe('SIGKILL')
    const published = lastPublished(output())
    const store = openStore(file, { ballastBytes: 0 })
    try {
      for (const id of ['s_1', 's_2', 's_3']) {
        const { first, head } = store.events.bounds(id)
        const rows = store.events.rows(id, 0, head + 1)
        expect([first, rows.length]).toEqual([1, head])
        expect(
          rows.every(
            (row, index) => row.seq === index + 1 && row.process === `p_${id}` && row.offset === row.seq * 100,
          ),
        ).toBe(true)
        expect(store.processes.get(`p_${id}`)?.offset).toBe(head * 100)
        expect(store.acts.bounds(id)).toEqual({ first: 1, newest: head })
        expect(Array.from(store.acts.read(id, 0), ({ n }) => n)).toEqual(rows.map(({ seq }) => seq))
        expect(store.runs.get(`r_${id}`)?.run.lastSeq ?? 0).toBe(head)
        expect(head).toBeGreaterThanOrEqual(published.get(id) ?? 0)
        written = Math.max(written, head)
      }
    } finally {
      store.close()
    }
    expect(integrity(file)).toBe('ok')
  }
  expect(written).toBeGreaterThan(100)
})

/** Returns the newest printed `seq` of each session. A kill may truncate the last line. */
function lastPublished(output: string): Map<string, number> {
  const lines = output.split('\n').slice(0, -1)
  return new Map(lines.map(line => [line.split(' ')[0]!, Number(line.split(' ')[1])]))
}

function integrity(file: string): unknown {
  const db = openSqlite(file)
  try {
    return db.pragma('integrity_check')
  } finally {
    db.close()
  }
}
